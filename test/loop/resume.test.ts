/** A run that is killed after any event carries on at the next start. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { EventType } from "../../src/journal/events.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { isAlive } from "../../src/subprocess/identity.ts";
import { cli, onEvents, saying, start } from "../support/cli.ts";
import { type LabFolder, makeLab } from "../support/lab.ts";

/** A whole run: every number once, every row's commit under its ref, the branch on the kept ones. */
function checkWhole(lab: LabFolder, count: number): void {
	const dir = join(lab.dir, "results/demo");
	const { events } = readJournal(join(dir, "journal.jsonl"));
	const decided = events.flatMap((e) => (e.type === "experiment.decided" ? [e.n] : []));
	assert.deepEqual(
		decided,
		Array.from({ length: count }, (_, i) => i + 1),
	);
	const table = readFileSync(join(dir, "results.tsv"), "utf8")
		.trimEnd()
		.split("\n")
		.slice(1)
		.map((line) => line.split("\t"));
	const refs = lab.git("for-each-ref", "--format=%(objectname:short=7)", "refs/autoresearch/demo").split("\n");
	assert.deepEqual(
		table.map((row) => row[0]),
		refs,
	);
	const kept = table.filter((row) => row[3] === "keep").map((row) => row[0]);
	assert.deepEqual(lab.git("log", "--format=%h", "--abbrev=7", "--reverse", "autoresearch/demo").split("\n"), kept);
	assert.equal(lab.git("status", "--porcelain"), "");
}

const moments: EventType[] = [
	"run.started",
	"experiment.started",
	"experiment.proposed",
	"experiment.committed",
	"experiment.trained",
	"experiment.measured",
	"experiment.decided",
];
const inPhases: [NodeJS.Signals, EventType[]][] = [
	["SIGKILL", moments],
	["SIGINT", ["experiment.committed", "experiment.decided"]],
];
for (const [signal, after] of inPhases) {
	for (const moment of after) {
		test(`ended by ${signal} just after ${moment}, the run carries on: no row twice, none lost`, async (t) => {
			const lab = makeLab(t, { train: [["SECONDS = 0", "SECONDS = 0.1"]] });
			const args = ["run", "--lab", lab.dir, "--tag", "demo", "--json"];
			const first = start(t, [...args, "--experiments", "4"]);
			let seen = 0;
			onEvents(first, (event) => {
				if (event.type !== moment) return;
				seen++;
				if (moment === "run.started" || seen === 3) first.child.kill(signal);
			});
			await first.outcome;
			const { code, stderr } = await cli(t, [...args, "--experiments", "5"]);
			assert.equal(code, 0, stderr);
			checkWhole(lab, 5);
		});
	}
}

test("killed in mid-training, the trainer left behind is ended and the same commit is trained again", async (t) => {
	const lab = makeLab(t, { train: [["SECONDS = 0", "SECONDS = 60"]], lab: { budget: "90s" } });
	const args = ["run", "--lab", lab.dir, "--tag", "demo"];
	const first = start(t, args);
	await saying(first, /training/);
	const out = join(lab.dir, "results/demo/experiments/0001");
	while (!existsSync(join(out, "env"))) await setTimeout(10);
	const trainer = readFileSync(join(out, "process.pid"), "utf8");
	first.child.kill("SIGKILL");
	await first.outcome;
	assert.equal(isAlive(trainer), true);

	const second = start(t, args);
	await saying(second, /ended the trainer of experiment 1, left over[\s\S]*#1 training/);
	assert.equal(isAlive(trainer), false);
	second.child.kill("SIGINT");
	assert.equal((await second.outcome).code, 130);
});

test("killed while a coding agent was at work, the agent left behind is ended and its checkout removed", async (t) => {
	const lab = makeLab(t, {
		lab: { researcher: { command: { command: ["sh", "-c", "trap '' PIPE; exec sleep 1000"] } } },
	});
	const args = ["run", "--lab", lab.dir, "--tag", "demo", "--researcher", "command", "--no-draft-ahead"];
	const agents = join(lab.dir, "results/demo/agents");
	const agentAtWork = async (other = "") => {
		for (;;) {
			const names = existsSync(agents) ? readdirSync(agents) : [];
			const name = names.find((name) => name.endsWith(".pid") && name !== other);
			const identity = name && readFileSync(join(agents, name), "utf8");
			if (name && identity) return { name, identity };
			await setTimeout(10);
		}
	};
	const first = start(t, args);
	const left = await agentAtWork();
	first.child.kill("SIGKILL");
	await first.outcome;
	assert.equal(isAlive(left.identity), true);

	const second = start(t, args);
	await saying(second, /ended the coding agent of experiment 2, left over/);
	await agentAtWork(left.name);
	assert.equal(isAlive(left.identity), false);
	assert.ok(!readdirSync(agents).some((name) => left.name.startsWith(name)));
	second.child.kill("SIGINT");
	assert.equal((await second.outcome).code, 130);
	assert.deepEqual(readdirSync(agents), []);
});
