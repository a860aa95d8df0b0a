/**
 * What an experiment costs besides its training: 30 experiments with 20 s of budget, proposed by a scripted model that
 * takes 15 s to answer (a loopback server that speaks the Messages API), trained by the built-in trainer on the real
 * corpus.
 *
 *     npm run bench:loop [-- --experiments 30 --budget 20 --answer 15 --json]
 *
 * Overhead is the wall-clock time from one decision to the next, less the seconds the training clock ran. With --json
 * the last line is one object: { overhead_s_p50, overhead_s_p95, phases }.
 */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { fold } from "../../src/journal/fold.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { initialState, type State } from "../../src/journal/state.ts";
import { packageRoot } from "../../src/package-root.ts";
import { median, quantile, round } from "../statistics.ts";

const { values: flags } = parseArgs({
	options: {
		experiments: { type: "string", default: "30" },
		budget: { type: "string", default: "20" },
		answer: { type: "string", default: "15" },
		json: { type: "boolean", default: false },
	},
});

/**
 * Edited in turn, and lines apart, so that what is drafted ahead merges onto a new best as real proposals mostly do.
 */
const EDITED = ["ROPE_BASE", "EMBEDDING_INIT_STD", "MATRIX_LR", "WEIGHT_DECAY", "FINAL_LR_FRAC"];
let edits = 0;

const MESSAGE = {
	id: "msg_1",
	type: "message",
	role: "assistant",
	model: "scripted",
	content: [],
	stop_reason: null,
	stop_sequence: null,
};
const USAGE = { input_tokens: 1000, output_tokens: 100 };

const lab = makeLab();
const server = createServer(async (request, response) => {
	let body = "";
	for await (const chunk of request) body += chunk;
	if (!JSON.parse(body).stream) return greet(response);
	await setTimeout(Number(flags.answer) * 1000);
	answer(response, body);
});
await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
try {
	await run();
	report();
} finally {
	server.closeAllConnections();
	server.close();
	rmSync(lab, { recursive: true, force: true });
}

/** A clone of this repository's last commit, with the packages of this checkout. */
function makeLab(): string {
	const dir = mkdtempSync(join(tmpdir(), "autoresearch-bench-"));
	execFileSync("git", ["clone", "--quiet", packageRoot, dir]);
	// A link would do for Node, but the trainer's fence resolves it to a folder it may not read.
	cpSync(join(packageRoot, "node_modules"), join(dir, "node_modules"), { recursive: true, verbatimSymlinks: true });
	return dir;
}

/** The answer to the check at the start of a run. */
function greet(response: ServerResponse): void {
	response.writeHead(200, { "content-type": "application/json" });
	const content = [{ type: "text", text: "ready" }];
	response.end(JSON.stringify({ ...MESSAGE, content, stop_reason: "end_turn", usage: USAGE }));
}

/** One small edit and its submission, as a stream of the Messages API. */
function answer(response: ServerResponse, body: string): void {
	const name = EDITED[edits++ % EDITED.length]!;
	// The brief is JSON inside JSON; a constant's line is the same in both.
	const present = new RegExp(`const ${name} = ([\\d.]+)`).exec(body)?.[1] ?? "1";
	const next = (Number(present) * (0.97 + Math.random() * 0.06)).toFixed(6);
	const calls = [
		{ name: "edit_file", input: { old: `const ${name} = ${present};`, new: `const ${name} = ${next};` } },
		{ name: "submit", input: { title: `Set ${name} to ${next}`, hypothesis: "A benchmark.", expected_gain: 0.001 } },
	];
	response.writeHead(200, { "content-type": "text/event-stream" });
	const send = (event: { type: string }) => response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
	send({ type: "message_start", message: { ...MESSAGE, usage: USAGE } } as { type: string });
	calls.forEach(({ name, input }, index) => {
		const block = { type: "tool_use", id: `toolu_${next}_${index}`, name, input: {} };
		send({ type: "content_block_start", index, content_block: block } as { type: string });
		const delta = { type: "input_json_delta", partial_json: JSON.stringify(input) };
		send({ type: "content_block_delta", index, delta } as { type: string });
		send({ type: "content_block_stop", index } as { type: string });
	});
	send({ type: "message_delta", delta: { stop_reason: "tool_use", stop_sequence: null }, usage: USAGE } as {
		type: string;
	});
	send({ type: "message_stop" });
	response.end();
}

async function run(): Promise<void> {
	const args = ["run", "--lab", lab, "--tag", "bench", "--researcher", "anthropic", "--base-url", baseUrl];
	args.push("--experiments", flags.experiments, "--budget", `${flags.budget}s`);
	const child = spawn(process.execPath, [join(packageRoot, "dist/src/bin.js"), ...args], { stdio: ["ignore", 2, 2] });
	const code = await new Promise((ended) => child.once("close", ended));
	if (code !== 0) throw new Error(`the run ended with ${code}`);
}

function report(): void {
	const { events } = readJournal(join(lab, "results/bench/journal.jsonl"));
	const state = events.reduce<State>(fold, initialState());
	const decided = state.experiments.filter(({ decidedAt }) => decidedAt);
	// The baseline has no predecessor, and the second experiment's proposal could not be drafted during a training before
	// it.
	const measured = decided.slice(1).map((e, i) => {
		const wall = (Date.parse(e.decidedAt!) - Date.parse(decided[i]!.decidedAt!)) / 1000;
		const { propose = 0, preflight = 0, startup = 0, train = 0, evaluate = 0 } = e.seconds;
		const other = wall - propose - preflight - startup - train - evaluate;
		return { overhead: wall - train, propose, preflight, startup, evaluate, git_and_gate: other };
	});
	const phases = Object.fromEntries(
		(["propose", "preflight", "startup", "evaluate", "git_and_gate"] as const).map((name) => [
			name,
			round(median(measured.map((m) => m[name])), 3),
		]),
	);
	const overheads = measured.map(({ overhead }) => overhead);
	const summary = {
		overhead_s_p50: round(median(overheads), 3),
		overhead_s_p95: round(quantile(overheads, 0.95), 3),
		phases,
	};
	console.log(
		`${measured.length} experiments after the baseline, ${flags.budget} s each, ` +
			`a model that answers in ${flags.answer} s`,
	);
	for (const [name, seconds] of Object.entries(phases))
		console.log(`  ${name.padEnd(14)}${seconds.toFixed(3)} s at the median`);
	console.log(
		`  outside the training clock: ${summary.overhead_s_p50} s at the median, ` +
			`${summary.overhead_s_p95} s at the 95th percentile`,
	);
	if (flags.json) console.log(JSON.stringify(summary));
}
