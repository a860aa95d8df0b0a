/** What a human sees of a service that does not answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventLine } from "../../src/report/event-line.ts";
import { failure } from "../researcher/messages-server.ts";
import { change, decided, repeated, startRun } from "./model-run.ts";

test("an outage during a draft is shown once the loop waits for the draft, and so is its end", async (t) => {
	const overloaded = failure(529, "overloaded_error", "Overloaded", { "retry-after": "4" });
	const { engine, when } = await startRun(t, [overloaded, ...repeated(change("DEPTH", "4", "5"))], { seconds: 1 });
	const phases: string[] = [];
	const lines: string[] = [];
	engine.subscribe((state, event) => {
		if (event.type === "tick.phase" && event.n === 2) phases.push(event.phase);
		lines.push(eventLine(state, event) ?? "");
	});
	const { live } = await when("2 is waited for", (state) => state.live.phase === "waiting");
	assert.equal(live.n, 2);
	assert.match(live.note!, /answered 529 \(Overloaded\); trying again$/);
	assert.ok(live.until! > Date.now());
	await when("2 decided", decided(2));
	assert.match(phases.join(" "), /waiting proposing preflight/);
	assert.match(lines.join("\n"), /waiting: .*answered 529 \(Overloaded\); trying again at \d\d:/);
});

test("a draft ahead that fails is told, and the proposal is asked for again in its turn", async (t) => {
	const refused = failure(400, "invalid_request_error", "this is not possible");
	const { when } = await startRun(t, [refused, ...repeated(change("DEPTH", "4", "5"))], { seconds: 1 });
	const { notices } = await when("2 decided", decided(2));
	const told = notices.filter(({ text }) => /draft of experiment 2 failed .*: .*this is not possible/.test(text));
	assert.equal(told.length, 1);
});
