/** The clock of a run: what counts against the budget, and when a run has overrun. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RunClock } from "../../../trainer/harness/clock.ts";

/** A clock whose seconds the test sets. */
function clock(limits = { budget: 300, startup: 120, grace: 10 }) {
	const time = { now: 1000 };
	return { time, clock: new RunClock(limits, () => time.now) };
}

test("start-up does not count: the budget begins with the first batch", () => {
	const { time, clock: run } = clock();
	time.now += 50;
	assert.equal(run.trained, 0);
	assert.equal(run.ask(), 0);
	time.now += 75;
	assert.equal(run.ask(), 0.25);
	assert.equal(run.startup, 50);
	assert.equal(run.trained, 75);
	assert.equal(run.remaining, 225);
	assert.equal(run.total, 125);
});

test("when the budget is spent there are no more batches", () => {
	const { time, clock: run } = clock();
	run.ask();
	time.now += 299.9;
	assert.ok(run.ask()! < 1);
	time.now += 0.1;
	assert.equal(run.ask(), undefined);
	assert.equal(run.ask(), undefined);
	assert.equal(run.remaining, 0);
});

test("the time trained ends when train() returns", () => {
	const { time, clock: run } = clock();
	run.ask();
	time.now += 301;
	run.ask();
	run.returned();
	time.now += 5;
	assert.equal(run.trained, 301);
	assert.equal(run.total, 306);
});

test("a run that never asks for a batch ends at the start-up limit", () => {
	const { time, clock: run } = clock();
	time.now += 20;
	assert.equal(run.deadline.seconds, 100);
	assert.match(run.deadline.reason, /did not ask for its first batch within 120 s/);
});

test("a run that asks for no batch for a minute is hung, long before its budget ends", () => {
	const { time, clock: run } = clock();
	run.ask();
	time.now += 1;
	run.ask();
	time.now += 20;
	assert.equal(run.deadline.seconds, 40);
	assert.match(run.deadline.reason, /hung: asked for no batch for 60 s/);
});

test("a run with slow steps is given three of them before it is taken for hung", () => {
	const { time, clock: run } = clock();
	run.ask();
	time.now += 40;
	run.ask();
	assert.equal(run.deadline.seconds, 120);
});

test("the step in flight when the budget ends has its grace: ten seconds, or three of the slowest steps", () => {
	const { time, clock: run } = clock({ budget: 30, startup: 120, grace: 10 });
	run.ask();
	time.now += 2;
	run.ask();
	assert.equal(run.deadline.seconds, 28 + 10);
	time.now += 5;
	run.ask();
	assert.equal(run.deadline.seconds, 23 + 15);
	assert.match(run.deadline.reason, /overran: still in a step 15 s after the budget of 30 s/);
});

test("after the last batch train() must return within two seconds and a step", () => {
	const { time, clock: run } = clock({ budget: 30, startup: 120, grace: 10 });
	run.ask();
	time.now += 3;
	run.ask();
	time.now += 28;
	run.ask();
	assert.equal(run.deadline.seconds, 2 + 28);
	time.now += 1;
	run.ask();
	assert.equal(run.deadline.seconds, 1 + 28, "asking again does not buy more");
	assert.match(run.deadline.reason, /train\(\) went on for 30 s after its batches had ended/);
});

test("writing the checkpoint has a limit too", () => {
	const { time, clock: run } = clock();
	run.ask();
	time.now += 300;
	run.ask();
	run.returned();
	time.now += 4;
	assert.match(run.deadline.reason, /writing the checkpoint took more than 900 s/);
	assert.equal(run.deadline.seconds, 896);
});

test("saying twice that train() has returned buys no time, and there are no batches afterwards", () => {
	const { time, clock: run } = clock({ budget: 30, startup: 120, grace: 10 });
	run.ask();
	time.now += 1;
	run.ask();
	run.returned();
	time.now += 4;
	run.returned();
	assert.equal(run.deadline.seconds, 6);
	assert.equal(run.ask(), undefined);
});
