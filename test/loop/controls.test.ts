/** What a human has asked for, and the end of the activity it concerns. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Controls, Interruption } from "../../src/loop/controls.ts";

const never = new AbortController().signal;

test("an interruption carries what was asked, and is forgotten when the next activity begins", () => {
	const controls = new Controls();
	const signal = controls.begin();
	controls.interrupt({ kind: "discard", reason: "skipped by hand" });
	assert.ok(signal.reason instanceof Interruption);
	assert.deepEqual(signal.reason.cause, { kind: "discard", reason: "skipped by hand" });
	assert.deepEqual(controls.pending, { kind: "discard", reason: "skipped by hand" });
	assert.equal(controls.begin().aborted, false);
	assert.equal(controls.pending, undefined);
});

test("a run that is stopping begins no activity", () => {
	const controls = new Controls();
	controls.stopping = true;
	assert.equal(controls.begin().aborted, true);
	assert.deepEqual(controls.pending, { kind: "stop" });
});

test("an interruption wakes a loop that waits", async () => {
	const controls = new Controls();
	const woken = controls.woken();
	controls.interrupt({ kind: "set-aside" });
	await woken;
});

test("only the proposal that waits can be answered, once", async () => {
	const controls = new Controls();
	controls.begin();
	assert.equal(controls.answer(2, true), false);
	const approval = controls.approval(2, never);
	assert.equal(controls.answer(3, true), false);
	assert.equal(controls.answer(2, false), true);
	assert.equal(await approval, false);
	assert.equal(controls.answer(2, true), false);
});

test("a proposal stops waiting when its activity or the run ends, or has ended already", async () => {
	const controls = new Controls();
	controls.begin();
	const interrupted = controls.approval(2, never);
	controls.interrupt({ kind: "discard", reason: "skipped by hand" });
	await assert.rejects(interrupted, Interruption);
	await assert.rejects(controls.approval(2, never), Interruption);
	controls.begin();
	const limit = new AbortController();
	const limited = controls.approval(2, limit.signal);
	limit.abort(new Error("4 experiments done"));
	await assert.rejects(limited, /4 experiments done/);
});
