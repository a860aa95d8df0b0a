/**
 * The loop with a model behind it: the real SDK against a loopback server that speaks the Messages API. What the human
 * writes reaches the very next proposal, whatever state that is in.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startEngine } from "../../src/engine/start.ts";
import type { State } from "../../src/loop/state.ts";
import { type Answer, call, type MessagesRequest, type Reply, serveMessages } from "../researcher/messages-server.ts";
import { makeLab } from "../support/lab.ts";
import { whenOf } from "../support/when.ts";

/** An edit of one constant, submitted. */
function change(name: string, from: string, to: string): Answer {
	const title = `Set ${name} to ${to}`;
	return {
		content: [
			call("edit_file", { old: `${name} = ${from};`, new: `${name} = ${to};` }),
			call("submit", { title, hypothesis: "It may help.", expected_gain: 0.01 }),
		],
	};
}

/** The answer to the question, asked once at start, whether the key and the model are good. */
const READY: Answer = { content: [{ type: "text", text: "ready" }] };

const told = (request: MessagesRequest) => JSON.stringify(request.body.messages);

async function night(t: TestContext, replies: Reply[], options: { seconds?: number; draftAhead?: boolean } = {}) {
	const lab = makeLab(t, {
		train: [["SECONDS = 0", `SECONDS = ${options.seconds ?? 0.1}`]],
		lab: { budget: "60s", researcher: { anthropic: { firstWaitSeconds: 0.05, prices: { input: 10, output: 100 } } } },
	});
	const server = await serveMessages(READY, ...replies);
	const engine = await startEngine(
		{
			lab: lab.dir,
			tag: "demo",
			researcher: { name: "anthropic", baseUrl: server.url },
			device: "cpu",
			draftAhead: options.draftAhead ?? true,
		},
		{ onPrepare: () => {} },
	);
	const when = whenOf(engine);
	t.after(async () => {
		await engine.command({ type: "stop" });
		await engine.finished;
		await server[Symbol.asyncDispose]();
	});
	return { lab, engine, server, when };
}

const decided = (n: number) => (state: State) => state.experiments[n - 1]?.status !== undefined;
const endless = (reply: Reply) => Array.from({ length: 50 }, () => reply);

test("an edit of program.md while a proposal is streamed changes that very proposal", async (t) => {
	let streaming = () => {};
	const begun = new Promise<void>((resolve) => {
		streaming = resolve;
	});
	let goOn = () => {};
	const held = new Promise<void>((resolve) => {
		goOn = resolve;
	});
	const { lab, server, when } = await night(
		t,
		[
			{
				...change("DEPTH", "4", "5"),
				pauseAfter: {
					events: 3,
					until: () => {
						streaming();
						return held;
					},
				},
			},
			...endless(change("MATRIX_LR", "0.02", "0.03")),
		],
		{ draftAhead: false },
	);
	await begun;
	lab.write("program.md", "Only MATRIX_LR from now on.\n");
	const state = await when("2 decided", decided(2));
	goOn();
	assert.equal(state.experiments[1]!.title, "Set MATRIX_LR to 0.03");
	assert.equal(state.experiments[1]!.program, state.program.version);
	assert.doesNotMatch(told(server.requests[1]!), /Only MATRIX_LR/);
	assert.match(told(server.requests[2]!), /Only MATRIX_LR from now on/);
});

test("an edit of program.md while one trains changes the proposal that was drafted ahead", async (t) => {
	const { lab, engine, server, when } = await night(
		t,
		[
			change("DEPTH", "4", "5"),
			change("DEPTH", "4", "6"),
			change("MATRIX_LR", "0.02", "0.03"),
			...endless(change("DEPTH", "4", "7")),
		],
		{ seconds: 2 },
	);
	await when(
		"1 trains and 2 is drafted",
		(s) => s.live.phase === "training" && s.live.n === 1 && s.live.ahead?.n === 2,
	);
	await when(
		"2 trains and 3 is drafted",
		(s) => s.live.phase === "training" && s.live.n === 2 && s.live.ahead?.n === 3,
	);
	lab.write("program.md", "Only MATRIX_LR from now on.\n");
	await when("3 proposed", ({ experiments }) => Boolean(experiments[2]?.title));
	assert.equal(engine.state.experiments[2]!.title, "Set MATRIX_LR to 0.03");
	assert.equal(engine.state.experiments[2]!.program, engine.state.program.version);
	assert.match(told(server.requests[3]!), /Only MATRIX_LR from now on/);
});

test("a draft made against the old best is merged onto the new one", async (t) => {
	const { lab, engine, when } = await night(
		t,
		[change("DEPTH", "4", "5"), change("MATRIX_LR", "0.02", "0.03"), ...endless(change("MATRIX_LR", "0.03", "0.04"))],
		{ seconds: 0.5 },
	);
	await when("3 decided", decided(3));
	assert.deepEqual(
		engine.state.experiments.slice(1, 3).map(({ status }) => status),
		["keep", "keep"],
	);
	const text = lab.git("show", "refs/autoresearch/demo/0003:train.js");
	assert.match(text, /DEPTH = 5/);
	assert.match(text, /MATRIX_LR = 0\.0[34]/);
	assert.deepEqual(engine.state.experiments[2]!.changes, [{ name: "MATRIX_LR", from: "0.02", to: "0.03" }]);
	assert.equal(engine.state.experiments[2]!.parent, engine.state.experiments[1]!.commit);
});

test("a draft that conflicts with the new best is dropped, and asked for again", async (t) => {
	const again = (request: MessagesRequest) =>
		told(request).includes("DEPTH = 5;") ? change("DEPTH", "5", "6") : change("DEPTH", "4", "7");
	const { engine, when } = await night(t, [change("DEPTH", "4", "5"), ...endless(again)], { seconds: 0.5 });
	await when("3 decided", decided(3));
	assert.equal(engine.state.experiments[2]!.title, "Set DEPTH to 6");
});

test("a note reaches the next brief and is marked as heard", async (t) => {
	const { engine, server, when } = await night(
		t,
		endless((r) => change("DEPTH", "4", told(r).includes("no odd depths") ? "6" : "3")),
		{
			draftAhead: false,
			seconds: 0.5,
		},
	);
	await when("1 trains", (s) => s.live.phase === "training");
	await engine.command({ type: "note", text: "no odd depths, please" });
	const state = await when("2 proposed", ({ experiments }) => Boolean(experiments[1]?.title));
	assert.equal(state.experiments[1]!.title, "Set DEPTH to 6");
	assert.match(told(server.requests[1]!), /no odd depths, please/);
	await when("heard", ({ notes }) => notes[0]!.heardBy === 2);
});

test("a crash goes back to its author, who may repair it under the same number", async (t) => {
	const breaks: Answer = {
		content: [
			call("edit_file", { old: 'FAULT = "none"', new: 'FAULT = "throw"' }),
			call("submit", { title: "Break it", hypothesis: "It may help.", expected_gain: 0.01 }),
		],
	};
	const repairs: Answer = {
		content: [
			call("edit_file", { old: 'FAULT = "throw"', new: 'FAULT = "none"' }),
			call("edit_file", { old: "DEPTH = 4;", new: "DEPTH = 5;" }),
			call("submit", { title: "Mend it", hypothesis: "It may help.", expected_gain: 0.01 }),
		],
	};
	const { lab, engine, server, when } = await night(t, [breaks, repairs, ...endless(change("DEPTH", "5", "6"))], {
		draftAhead: false,
	});
	await when("2 decided", decided(2));
	assert.match(told(server.requests[2]!), /the matrix is singular/);
	const [, second] = engine.state.experiments;
	assert.deepEqual([second!.status, second!.repairs], ["keep", 1]);
	assert.match(lab.git("show", "refs/autoresearch-repaired/demo/0002-1:train.js"), /FAULT = "throw"/);
	assert.match(lab.git("show", "refs/autoresearch/demo/0002:train.js"), /FAULT = "none"[\s\S]*|DEPTH = 5/);
	assert.equal(lab.git("rev-parse", "refs/autoresearch/demo/0002^"), second!.parent);
});

test("tokens and money are counted, dropped drafts included, and a limit ends the run well", async (t) => {
	const lab = makeLab(t, { lab: { budget: "60s", researcher: { anthropic: { prices: { input: 10, output: 100 } } } } });
	await using server = await serveMessages(
		READY,
		...endless((r) => change("DEPTH", /DEPTH = (\d)/.exec(told(r))![1]!, String(Math.ceil(Math.random() * 1e6)))),
	);
	const engine = await startEngine(
		{
			lab: lab.dir,
			tag: "demo",
			researcher: { name: "anthropic", baseUrl: server.url },
			device: "cpu",
			limits: { tokens: 300 },
		},
		{ onPrepare: () => {} },
	);
	await engine.finished;
	assert.match(engine.state.stopped!, /^\d+ tokens spent, of 300 allowed$/);
	const { usage } = engine.state.experiments[1]!;
	assert.ok(usage!.inputTokens > 0 && usage!.cost! > 0);
	const table = readFileSync(join(lab.dir, "results/demo/results.tsv"), "utf8");
	assert.ok(table.trimEnd().split("\n").length > 1);
});

test("a wrong key is said before anything trains", async (t) => {
	const lab = makeLab(t);
	await using server = await serveMessages(
		...endless({
			status: 401,
			body: JSON.stringify({ type: "error", error: { type: "authentication_error", message: "invalid x-api-key" } }),
		}),
	);
	const starting = startEngine(
		{ lab: lab.dir, tag: "demo", researcher: { name: "anthropic", baseUrl: server.url }, device: "cpu" },
		{ onPrepare: () => {} },
	);
	await assert.rejects(starting, { name: "ResearcherError" });
});
