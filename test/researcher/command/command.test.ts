/** Coding agents as researchers: real processes in a real checkout. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { commandSchema } from "../../../src/lab/researcher-config.ts";
import { createCommand } from "../../../src/researcher/command/command.ts";
import { PRESETS } from "../../../src/researcher/command/presets.ts";
import { type ProposeOptions, ResearcherError } from "../../../src/researcher/researcher.ts";
import { briefOf, listen, TEXT } from "../brief-of.ts";
import { checkoutOf } from "./checkout.ts";

const scratch = mkdtempSync(join(tmpdir(), "autoresearch-agents-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A coding agent as a shell script. */
function agent(name: string, script: string, ...args: string[]): string[] {
	const path = join(scratch, `${name}.sh`);
	writeFileSync(path, `#!/bin/sh\n${script}\n`);
	return ["sh", path, ...args];
}

const LAB = { "train.ts": TEXT, "prepare/metric.ts": "export const metric = 1;\n" };

async function propose(command: string[], fields: Partial<ProposeOptions> = {}, timeoutSeconds = 20) {
	let dir = "";
	const { heard, options } = listen({
		checkout: async () => {
			const checkout = checkoutOf(LAB);
			dir = checkout.dir;
			return checkout;
		},
		...fields,
	});
	const researcher = createCommand("command", commandSchema.parse({ command, timeoutSeconds }), process.env);
	try {
		return { proposal: await researcher.propose(briefOf(), options), heard };
	} finally {
		assert.ok(dir === "" || !existsSync(dir), "the checkout is gone");
	}
}

const WELL = `sed -i 's/MATRIX_LR = 0.02/MATRIX_LR = 0.03/' train.ts
echo "I looked around."
echo "TITLE: Raise MATRIX_LR from 0.02 to 0.03"
echo "**HYPOTHESIS:** Few steps fit."`;

test("what an agent did to the editable file is the proposal, with its last words for a title", async () => {
	const { proposal, heard } = await propose(agent("well", WELL));
	assert.deepEqual(proposal, {
		title: "Raise MATRIX_LR from 0.02 to 0.03",
		hypothesis: "Few steps fit.",
		files: [{ path: "train.ts", text: TEXT.replace("0.02", "0.03") }],
		changes: [{ name: "MATRIX_LR", from: "0.02", to: "0.03" }],
	});
	assert.ok(heard.drafts.some((draft) => draft.text?.includes("I looked around.")));
});

test("the brief comes on standard input, whole", async () => {
	const copy = join(scratch, "stdin.txt");
	await propose(agent("stdin", `cat > ${copy}\n${WELL}`));
	assert.match(readFileSync(copy, "utf8"), /^You are the researcher[\s\S]*Propose experiment 4\.$/);
});

test("the brief comes in a file where the command names one, and the editable files as arguments", async () => {
	const copy = join(scratch, "file.txt");
	const command = agent(
		"file",
		`cat "$1" > ${copy}; echo "$2" >> ${copy}; cat >> ${copy}\n${WELL}`,
		"{brief-file}",
		"{files}",
	);
	await propose(command);
	assert.match(readFileSync(copy, "utf8"), /^You are the researcher[\s\S]*Propose experiment 4\.train\.ts\n$/);
});

test("edits of other files are dropped and named", async () => {
	const { proposal, heard } = await propose(
		agent("wrong-too", `echo "export const metric = 0;" > prepare/metric.ts; touch notes.md\n${WELL}`),
	);
	assert.deepEqual(
		proposal.files.map(({ path }) => path),
		["train.ts"],
	);
	assert.match(
		heard.notices[0]!,
		/also edited (prepare\/metric\.ts, notes\.md|notes\.md, prepare\/metric\.ts); only train\.ts may/,
	);
});

test("an agent that only edits the wrong file has made no proposal", async () => {
	await assert.rejects(
		propose(agent("wrong", "echo 0 > prepare/metric.ts; echo 'Shall I go on?'")),
		/made no proposal: it ended without editing train\.ts; its last line: Shall I go on\?$/,
	);
});

test("an agent that breaks the file gets a notice that says so", async () => {
	await assert.rejects(
		propose(agent("breaks", "echo 'const X = ;' >> train.ts")),
		/no proposal: The file does not parse: train\.ts:8/,
	);
});

test("an agent that deletes the file has made no proposal", async () => {
	await assert.rejects(
		propose(agent("deletes", "rm train.ts")),
		/made no proposal: it ended without editing train\.ts$/,
	);
});

test("an agent that fails is quoted", async () => {
	await assert.rejects(
		propose(agent("fails", `printf 'loading\\n\\033[31mnot logged in\\033[0m\\n' >&2; exit 3`)),
		/ended with code 3: not logged in/,
	);
});

test("an agent that hangs is ended, with everything it started", async () => {
	const pidFile = join(scratch, "pid");
	const hang = agent("hangs", `trap '' TERM\nsleep 600 & echo $! > ${pidFile}\nwait`);
	await assert.rejects(propose(hang, {}, 0.5), /was ended after 0\.5 s/);
	await gone(Number(readFileSync(pidFile, "utf8")));
});

test("an agent that leaves something running does not keep the loop waiting", async () => {
	const pidFile = join(scratch, "left");
	const { proposal } = await propose(agent("leaves", `sleep 600 & echo $! > ${pidFile}\n${WELL}`));
	assert.equal(proposal.files.length, 1);
	await gone(Number(readFileSync(pidFile, "utf8")));
});

test("an agent whose helper left its group and holds its pipes open is not waited for", async () => {
	const pidFile = join(scratch, "helper");
	const leave = `setsid sh -c 'echo $$ > ${pidFile}; exec sleep 600' & until [ -s ${pidFile} ]; do sleep 0.01; done`;
	const detaches = agent("detaches", `${leave}\n${WELL}`);
	const { proposal } = await propose(detaches);
	process.kill(Number(readFileSync(pidFile, "utf8")));
	assert.equal(proposal.files[0]!.text, TEXT.replace("0.02", "0.03"));
});

test("an agent is ended at once when program.md changes", async () => {
	const controller = new AbortController();
	const started = join(scratch, "started");
	const waiting = propose(agent("steered", `touch ${started}; sleep 600`), { signal: controller.signal });
	while (!existsSync(started)) await setTimeout(10);
	controller.abort(new Error("program.md changed"));
	await assert.rejects(waiting, /program\.md changed/);
});

test("without its last words, the title says what the edit shows", async () => {
	const { proposal } = await propose(agent("mute", "sed -i 's/= 4;/= 5;/' train.ts"));
	assert.equal(proposal.title, "Change DEPTH from 4 to 5");
});

test("a program that is not there is said at the start", async () => {
	const missing = createCommand("command", commandSchema.parse({ command: ["no-such-agent"] }), process.env);
	await assert.rejects(missing.check!(new AbortController().signal), ResearcherError);
	const present = createCommand("command", commandSchema.parse({ command: ["sh"] }), process.env);
	await present.check!(new AbortController().signal);
	await assert.rejects(propose(["no-such-agent"]), /no-such-agent could not be started: it is not installed/);
});

test("a crash goes back to the agent, which finds the files as they crashed", async () => {
	const { options } = listen({ checkout: async () => checkoutOf(LAB) });
	const command = agent("repairs", `grep -q "repair 1 of at most 2" || exit 1\nsed -i 's/oops/2/' train.ts`);
	const researcher = createCommand("command", commandSchema.parse({ command }), process.env);
	const crashed = TEXT.replace("MATRIX_LR * DEPTH", "MATRIX_LR ** oops");
	const crash = {
		n: 4,
		proposal: { title: "T", hypothesis: "H", files: [{ path: "train.ts", text: crashed }], changes: [] },
		reason: "oops is not defined",
		log: "ReferenceError",
		attempt: 1,
	};
	const repaired = await researcher.repair!(briefOf(), crash, options);
	assert.equal(repaired!.files[0]!.text, crashed.replace("oops", "2"));
});

test("the agent has the environment it is given, on top of the console's", async () => {
	const { options } = listen({ checkout: async () => checkoutOf(LAB) });
	const command = agent("env", `[ "$AGENT_MODE:$FROM_CONSOLE" = "quiet:yes" ] || exit 1\n${WELL}`);
	const config = commandSchema.parse({ command, env: { AGENT_MODE: "quiet" } });
	const researcher = createCommand("command", config, { ...process.env, FROM_CONSOLE: "yes" });
	assert.equal((await researcher.propose(briefOf(), options)).files.length, 1);
});

test("an agent that goes by $PWD or GIT_DIR works in its checkout, not where the console was started", async () => {
	await using users = checkoutOf(LAB);
	const git = (...args: string[]) => execFileSync("git", ["-C", users.dir, ...args], { encoding: "utf8" });
	const head = git("rev-parse", "HEAD");
	const script = join(scratch, "by-environment.mjs");
	writeFileSync(
		script,
		`import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
const file = process.env.PWD + "/train.ts";
writeFileSync(file, readFileSync(file, "utf8").replace("MATRIX_LR = 0.02", "MATRIX_LR = 0.03"));
const git = ["-C", process.env.PWD, "-c", "user.name=a", "-c", "user.email=a@a"];
execFileSync("git", [...git, "commit", "--quiet", "--all", "--message", "mine"]);
for (const [name, value] of Object.entries(process.env)) if (value.includes("${users.dir}")) throw new Error(name);
`,
	);
	const places = {
		PWD: users.dir,
		OLDPWD: users.dir,
		INIT_CWD: users.dir,
		npm_config_local_prefix: users.dir,
		GIT_DIR: join(users.dir, ".git"),
		GIT_WORK_TREE: users.dir,
		GIT_INDEX_FILE: join(users.dir, ".git/index"),
	};
	const { options } = listen({ checkout: async () => checkoutOf(LAB) });
	const config = commandSchema.parse({ command: [process.execPath, script] });
	const { files } = await createCommand("command", config, { ...process.env, ...places }).propose(briefOf(), options);
	assert.equal(files[0]!.text, TEXT.replace("0.02", "0.03"));
	assert.equal(git("rev-parse", "HEAD"), head);
	assert.equal(git("status", "--porcelain"), "");
	assert.equal(readFileSync(join(users.dir, "train.ts"), "utf8"), TEXT);
});

test("every preset names a program and gives it the brief in one way", () => {
	for (const { name, command } of PRESETS) {
		assert.ok(command.length > 1, name);
		assert.equal(command.filter((argument) => argument === "{options}").length, 1, name);
		assert.ok(command.filter((argument) => argument.includes("{brief-file}")).length <= 1, name);
	}
});

/** Waits until a process has ended; fails the test by its time limit when it does not. */
async function gone(pid: number): Promise<void> {
	for (;;) {
		try {
			process.kill(pid, 0);
		} catch {
			return;
		}
		if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
		await setTimeout(20);
	}
}
