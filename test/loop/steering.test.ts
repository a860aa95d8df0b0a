/** What the human writes reaches the very next proposal of a model, whatever state that is in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startEngine } from "../../src/engine/start.ts";
import type { State } from "../../src/journal/state.ts";
import { type Answer, call, type MessagesRequest, serveMessages } from "../researcher/messages-server.ts";
import { makeLab } from "../support/lab.ts";
import { change, decided, heldAnswer, messagesOf, repeated, startRun } from "./model-run.ts";

const numberIn = (request: MessagesRequest) => Number(/Propose experiment (\d+)/.exec(messagesOf(request))![1]);

test("an edit of program.md while a proposal is streamed changes that very proposal", async (t) => {
	const { reply, begun, release } = heldAnswer(change("DEPTH", "4", "5"));
	const { lab, server, when } = await startRun(t, [reply, ...repeated(change("MATRIX_LR", "0.02", "0.03"))], {
		draftAhead: false,
	});
	await begun;
	lab.write("program.md", "Only MATRIX_LR from now on.\n");
	const state = await when("2 decided", decided(2));
	release();
	assert.equal(state.experiments[1]!.title, "Set MATRIX_LR to 0.03");
	assert.equal(state.experiments[1]!.program, state.program.version);
	assert.doesNotMatch(messagesOf(server.requests[1]!), /Only MATRIX_LR/);
	assert.match(messagesOf(server.requests[2]!), /Only MATRIX_LR from now on/);
});

test("an edit of program.md while one trains changes the proposal that was drafted ahead", async (t) => {
	const { lab, engine, server, when } = await startRun(
		t,
		[
			change("DEPTH", "4", "5"),
			change("DEPTH", "4", "6"),
			change("MATRIX_LR", "0.02", "0.03"),
			...repeated(change("DEPTH", "4", "7")),
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
	assert.match(messagesOf(server.requests[3]!), /Only MATRIX_LR from now on/);
});

test("a draft made against the old best is merged onto the new one", async (t) => {
	const { lab, engine, when } = await startRun(
		t,
		[change("DEPTH", "4", "5"), change("MATRIX_LR", "0.02", "0.03"), ...repeated(change("MATRIX_LR", "0.03", "0.04"))],
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
		messagesOf(request).includes("DEPTH = 5;") ? change("DEPTH", "5", "6") : change("DEPTH", "4", "7");
	const { engine, when } = await startRun(t, [change("DEPTH", "4", "5"), ...repeated(again)], { seconds: 0.5 });
	await when("3 decided", decided(3));
	assert.equal(engine.state.experiments[2]!.title, "Set DEPTH to 6");
});

test("a note reaches the next brief and is marked as heard", async (t) => {
	const { engine, server, when } = await startRun(
		t,
		repeated((r) => change("DEPTH", "4", messagesOf(r).includes("no odd depths") ? "6" : "3")),
		{
			draftAhead: false,
			seconds: 0.5,
		},
	);
	await when("1 trains", (s) => s.live.phase === "training");
	await engine.command({ type: "note", text: "no odd depths, please" });
	const state = await when("2 proposed", ({ experiments }) => Boolean(experiments[1]?.title));
	assert.equal(state.experiments[1]!.title, "Set DEPTH to 6");
	assert.match(messagesOf(server.requests[1]!), /no odd depths, please/);
	await when("heard", ({ notes }) => notes[0]!.heardBy === 2);
});

test("a note given while a proposal is streamed reaches that very proposal", async (t) => {
	const { reply, begun, release } = heldAnswer(change("DEPTH", "4", "5"));
	const { engine, server, when } = await startRun(t, [reply, ...repeated(change("DEPTH", "4", "6"))], {
		draftAhead: false,
	});
	await begun;
	assert.equal(
		await engine.command({ type: "note", text: "no odd depths, please" }),
		"the note goes into the next proposal's brief",
	);
	const state = await when("2 proposed", ({ experiments }) => Boolean(experiments[1]?.title));
	release();
	assert.equal(state.experiments[1]!.title, "Set DEPTH to 6");
	assert.match(messagesOf(server.requests[2]!), /no odd depths, please/);
	await when("heard", ({ notes }) => notes[0]!.heardBy === 2);
});

test("a note given while the loop waits for a draft makes that be written again", async (t) => {
	const { reply, begun, release } = heldAnswer(change("DEPTH", "4", "5"));
	const { engine, server, when } = await startRun(t, [reply, ...repeated(change("DEPTH", "4", "6"))]);
	await begun;
	await when("2 is waited for", ({ live }) => live.phase === "proposing" && live.n === 2);
	await engine.command({ type: "note", text: "no odd depths, please" });
	const state = await when("2 proposed", ({ experiments }) => Boolean(experiments[1]?.title));
	release();
	assert.equal(state.experiments[1]!.title, "Set DEPTH to 6");
	assert.match(messagesOf(server.requests[2]!), /no odd depths, please/);
});

test("more notes than a brief holds come in turn, and only those in a brief are marked as heard", async (t) => {
	const { engine, server, when } = await startRun(
		t,
		repeated((r) => change("DEPTH", "4", `${numberIn(r)}0`)),
		{ draftAhead: false, seconds: 0.5 },
	);
	await when("1 trains", (s) => s.live.phase === "training");
	for (let i = 1; i <= 25; i++) await engine.command({ type: "note", text: `remark ${i}.` });
	const heardBy = ({ notes }: State) => notes.map((note) => note.heardBy);
	const first = await when("2 committed", ({ experiments }) => Boolean(experiments[1]?.commit));
	assert.deepEqual(heardBy(first), [...Array(20).fill(2), ...Array(5).fill(undefined)]);
	assert.match(messagesOf(server.requests[1]!), /remark 1\.[\s\S]*remark 20\./);
	assert.doesNotMatch(messagesOf(server.requests[1]!), /remark 21\./);
	const second = await when("3 committed", ({ experiments }) => Boolean(experiments[2]?.commit));
	assert.deepEqual(heardBy(second), [...Array(20).fill(2), ...Array(5).fill(3)]);
	assert.match(messagesOf(server.requests[2]!), /remark 21\.[\s\S]*remark 25\./);
});

const BREAKS: Answer = {
	content: [
		call("edit_file", { old: 'FAULT = "none"', new: 'FAULT = "throw"' }),
		call("submit", { title: "Break it", hypothesis: "It may help.", expected_gain: 0.01 }),
	],
};

/** Takes the fault out, and sets the depth so. */
function mends(depth: string): Answer {
	return {
		content: [
			call("edit_file", { old: 'FAULT = "throw"', new: 'FAULT = "none"' }),
			call("edit_file", { old: "DEPTH = 4;", new: depth }),
			call("submit", { title: "Mend it", hypothesis: "It may help.", expected_gain: 0.01 }),
		],
	};
}

test("a crash goes back to its author, who may repair it under the same number", async (t) => {
	const repairs = mends("DEPTH = 5;");
	const { lab, engine, server, when } = await startRun(t, [BREAKS, repairs, ...repeated(change("DEPTH", "5", "6"))], {
		draftAhead: false,
	});
	await when("2 decided", decided(2));
	assert.match(messagesOf(server.requests[2]!), /the matrix is singular/);
	const [, second] = engine.state.experiments;
	assert.deepEqual([second!.status, second!.repairs], ["keep", 1]);
	assert.match(lab.git("show", "refs/autoresearch-repaired/demo/0002-1:train.js"), /FAULT = "throw"/);
	assert.match(lab.git("show", "refs/autoresearch/demo/0002:train.js"), /DEPTH = 5;[\s\S]*FAULT = "none"/);
	assert.equal(second!.title, "Break it (repaired: Mend it)");
	assert.equal(lab.git("rev-parse", "refs/autoresearch/demo/0002^"), second!.parent);
});

test("an edit of program.md while a crash is repaired changes that very repair", async (t) => {
	const { reply, begun, release } = heldAnswer(mends("DEPTH = 5;"));
	const { lab, server, when } = await startRun(
		t,
		[BREAKS, reply, mends("DEPTH = 6;"), ...repeated(change("DEPTH", "6", "7"))],
		{ draftAhead: false },
	);
	await begun;
	lab.write("program.md", "No odd depths from now on.\n");
	const state = await when("2 decided", decided(2));
	release();
	assert.match(messagesOf(server.requests[3]!), /No odd depths from now on[\s\S]*the matrix is singular/);
	assert.equal(state.experiments[1]!.program, state.program.version);
	assert.match(lab.git("show", "refs/autoresearch/demo/0002:train.js"), /DEPTH = 6;/);
	assert.match(
		lab.git("log", "-1", "--format=%B", "refs/autoresearch/demo/0002"),
		new RegExp(`Program: ${state.program.version}`),
	);
});

test("what a draft was asked to be is what its experiment records", async (t) => {
	// Each is worse than the baseline, so that after eight of them something else is asked for.
	const { engine, server, when } = await startRun(
		t,
		repeated((r) => change("DEPTH", "4", `-${numberIn(r)}0`)),
	);
	await when("12 begun", ({ experiments }) => experiments.length >= 12);
	const otherKind = (request: MessagesRequest) => messagesOf(request).includes("Propose something of another kind");
	for (const { n, mode } of engine.state.experiments.slice(1, 12)) {
		const request = server.requests.slice(1).find((r) => numberIn(r) === n)!;
		assert.equal(mode === "open", !otherKind(request), `experiment ${n} is recorded as ${mode}`);
	}
	assert.equal(engine.state.experiments[11]!.mode, "other-family");
});

test("a wrong key is said before anything trains", async (t) => {
	const lab = makeLab(t);
	await using server = await serveMessages(
		...repeated({
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
