/** What a run costs is in its journal as soon as it is known, and its limits end whatever it is doing. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startEngine } from "../../src/engine/start.ts";
import type { RunLimits } from "../../src/loop/spending.ts";
import { type Answer, call, failure } from "../researcher/messages-server.ts";
import { cli } from "../support/cli.ts";
import { makeLab } from "../support/lab.ts";
import { change, decided, heldAnswer, messagesOf, repeated, startRun } from "./model-run.ts";

/** 120 tokens each, like every answer here; the proposal never comes. */
const LOOKING: Answer = { content: [call("list_experiments", {})] };
const SECONDS = 1 / 3600;

test("the answer that reaches a limit of tokens may still propose: that is trained, and the run ends", async (t) => {
	const { engine } = await startRun(t, repeated(change("DEPTH", "4", "5")), {
		draftAhead: false,
		limits: { tokens: 100 },
	});
	await engine.finished;
	assert.equal(engine.state.stopped, "120 tokens spent, of 100 allowed");
	const [, second] = engine.state.experiments;
	assert.equal(second!.status, "keep");
	assert.deepEqual(second!.usage, {
		inputTokens: 100,
		outputTokens: 20,
		cacheReadTokens: 0,
		cacheWriteTokens: 0,
		cost: 0.003,
	});
});

const limits: [string, RunLimits, RegExp][] = [
	["tokens", { tokens: 300 }, /^360 tokens spent, of 300 allowed$/],
	["money", { cost: 0.007 }, /^0\.01 spent, of 0\.007 allowed$/],
];
for (const [what, limit, reason] of limits) {
	test(`a limit of ${what} holds inside a proposal, and lets what trains meanwhile finish`, async (t) => {
		for (const draftAhead of [false, true]) {
			const { engine, server } = await startRun(t, repeated(LOOKING), { seconds: 1, draftAhead, limits: limit });
			await engine.finished;
			assert.match(engine.state.stopped!, reason);
			assert.equal(server.requests.length, 1 + 3);
			assert.equal(engine.state.experiments[0]!.status, "keep");
		}
	});
}

test("a limit of hours holds during an outage, and the run says why it ended", async (t) => {
	const outage = failure(529, "overloaded_error", "Overloaded", { "retry-after": "600" });
	const { engine } = await startRun(t, repeated(outage), { limits: { hours: 3 * SECONDS } });
	await engine.finished;
	assert.match(engine.state.stopped!, /hours are over$/);
});

test("a limit of hours holds while the run is paused, and while a proposal waits for a yes", async (t) => {
	const proposals = repeated(change("DEPTH", "4", "5"));
	const paused = await startRun(t, proposals, { limits: { hours: 3 * SECONDS } });
	await paused.engine.command({ type: "pause" });
	await paused.when("paused", ({ live }) => live.phase === "paused");
	const asking = await startRun(t, proposals, { limits: { hours: 4 * SECONDS } });
	await asking.engine.command({ type: "approval", on: true });
	await asking.when("2 waits", ({ live }) => live.phase === "approving");
	for (const { engine } of [paused, asking]) {
		await engine.finished;
		assert.match(engine.state.stopped!, /hours are over$/);
	}
	assert.equal(asking.engine.state.experiments[1]!.status, undefined);
});

test("nothing is drafted that a limit of experiments would drop", async (t) => {
	const { engine, server } = await startRun(t, repeated(change("DEPTH", "4", "5")), { limits: { experiments: 2 } });
	await engine.finished;
	assert.equal(server.requests.length, 2);
});

test("tokens of a proposal that was interrupted count after a restart, in its row and in the limit", async (t) => {
	const { reply, begun, release } = heldAnswer(LOOKING);
	const { engine, run, server } = await startRun(
		t,
		[LOOKING, LOOKING, reply, LOOKING, ...repeated(change("DEPTH", "4", "5"))],
		{ draftAhead: false },
	);
	await begun;
	await engine.command({ type: "stop" });
	release();
	await engine.finished;
	const before = engine.state.experiments[1]!.usage!;
	assert.ok(before.inputTokens >= 200);

	const again = await startEngine({ ...run, limits: { experiments: 2 } }, { onPrepare: () => {} });
	await again.finished;
	assert.ok(again.state.experiments[1]!.usage!.inputTokens > before.inputTokens, messagesOf(server.requests.at(-1)!));
});

test("results shows tokens and money, those of a draft whose experiment never began too", async (t) => {
	const { engine, run, when } = await startRun(t, [change("DEPTH", "4", "5"), ...repeated(LOOKING)], { seconds: 1 });
	await when("2 decided, 3 being drafted", decided(2));
	await engine.command({ type: "stop" });
	await engine.finished;
	const of = ["--lab", run.lab, "--tag", "demo"];
	const records = JSON.parse((await cli(t, ["results", ...of, "--json"])).stdout);
	assert.deepEqual([records[0].tokens, records[0].cost, records[0].expected_gain], [null, null, null]);
	assert.deepEqual(records[1].tokens, { input: 100, output: 20, cache_read: 0, cache_write: 0 });
	assert.deepEqual([records[1].cost, records[1].expected_gain], [0.003, 0.01]);
	const { stdout } = await cli(t, ["results", ...of]);
	assert.match(
		stdout,
		/n +input +output +cache read +cache write +cost\n +2 +100 +20 +0 +0 +0\.0030\n[\s\S]*\n +all +\d/,
	);
});

const uncounted: [string, object, RunLimits, RegExp][] = [
	[
		"tokens with a researcher that counts none",
		{ name: "search" },
		{ tokens: 1000 },
		/search does not count .*--max-tokens/,
	],
	[
		"money with a researcher that counts none",
		{ name: "claude-code" },
		{ cost: 5 },
		/claude\S* does not count .*--max-cost/,
	],
	[
		"money without prices",
		{ name: "anthropic", baseUrl: "http://127.0.0.1:9" },
		{ cost: 5 },
		/--max-cost needs prices/,
	],
];
for (const [what, researcher, limits, message] of uncounted) {
	test(`a limit of ${what} is refused at the start`, async (t: TestContext) => {
		const lab = makeLab(t);
		const starting = startEngine(
			{ lab: lab.dir, tag: "demo", researcher, device: "cpu", limits },
			{ onPrepare: () => {} },
		);
		await assert.rejects(starting, { name: "UserError", message });
	});
}
