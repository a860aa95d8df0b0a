/** The state folded from events. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalEvent, NewEvent } from "../../src/journal/events.ts";
import { fold } from "../../src/journal/fold.ts";
import { best, initialState, type State, standingOn, tally } from "../../src/journal/state.ts";

/** The state after events that came at these minutes. */
function after(...events: [minute: number, NewEvent][]): State {
	return events
		.map(([minute, event], i) => {
			const at = new Date(Date.UTC(2026, 10, 21, 22, minute)).toISOString();
			return { v: 1, seq: i + 1, at, ...event } as JournalEvent;
		})
		.reduce<State>(fold, initialState());
}

const started = (n: number, parent = "c1"): NewEvent => ({
	type: "experiment.started",
	n,
	parent,
	program: "",
	researcher: "search",
});
const decided = (n: number, status: "keep" | "discard" = "discard"): NewEvent => ({
	type: "experiment.decided",
	n,
	status,
	reason: "",
	seconds: {},
});
const measured = (n: number, value: number): NewEvent => ({ type: "experiment.measured", n, value, seconds: 0 });
const committed = (n: number): NewEvent => ({
	type: "experiment.committed",
	n,
	commit: `c${n}`,
	added: 1,
	removed: 1,
});
const continued: NewEvent = { type: "run.continued", budgetSeconds: 60, researcher: "search", seed: 1, device: "cpu" };

const pausedInTheSecond: [number, NewEvent][] = [
	[0, started(1)],
	[5, decided(1)],
	[5, started(2)],
	[6, { type: "run.paused", by: "human" }],
];

test("experiments an hour count the work: no pause, no wait for a yes, no time between two starts", () => {
	const { perHour } = tally(
		after(
			...pausedInTheSecond,
			[7, { type: "experiment.requeued", n: 2, reason: "paused by hand" }],
			[30, { type: "notice", level: "info", text: "a note in the pause" }],
			[60, { type: "run.resumed", by: "human" }],
			[63, decided(2)],
			[63, started(3)],
			[90, { type: "note.added", text: "while it waits" }],
			[94, { type: "experiment.waited", n: 3, seconds: 30 * 60 }],
			[98, decided(3)],
			[98, started(4)],
			[99, committed(4)],
			[500, continued],
			[504, decided(4)],
		),
	);
	assert.equal(perHour, 60 / 5);
});

test("a pause that lets the experiment finish counts until it has", () => {
	const { perHour } = tally(after(...pausedInTheSecond, [10, decided(2)], [300, { type: "run.resumed", by: "human" }]));
	assert.equal(perHour, 12);
});

test("the base a human chose is what is built on; the best stays the best", () => {
	const events: [number, NewEvent][] = [
		[0, started(1)],
		[0, committed(1)],
		[0, measured(1, 2)],
		[0, decided(1, "keep")],
		[1, started(2)],
		[1, committed(2)],
		[1, measured(2, 1.8)],
		[1, decided(2, "keep")],
		[2, started(3, "c2")],
		[2, committed(3)],
		[2, measured(3, 1.9)],
		[2, decided(3)],
	];
	const chosen = after(...events, [3, { type: "experiment.adopted", n: 3, reason: "made the base by hand" }]);
	assert.deepEqual([standingOn(chosen)?.n, best(chosen)?.n], [3, 2]);
	const reverted = after(...events, [3, { type: "experiment.reverted", n: 2, reason: "reverted by hand" }]);
	assert.deepEqual([standingOn(reverted)?.n, best(reverted)?.n], [1, 1]);
});
