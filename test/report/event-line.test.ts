/** The lines that `autoresearch run` prints. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalEvent } from "../../src/journal/events.ts";
import { initialState } from "../../src/journal/state.ts";
import { eventLine } from "../../src/report/event-line.ts";

test("text of a server or a model becomes one line without escape sequences", () => {
	const text = "the server\r\nanswered \x1b]0;owned\x07\x1b[2J\x9b31mno\u202e";
	const event: JournalEvent = { v: 1, seq: 1, at: "2025-01-01T00:00:00.000Z", type: "notice", level: "warn", text };
	assert.match(eventLine(initialState(), event)!, /^\d\d:\d\d:\d\d {2}warn: the server answered no$/);
	const waiting = eventLine(initialState(), { type: "tick.phase", phase: "waiting", n: 1, note: "\x1b[31m529" });
	assert.match(waiting!, /waiting: 529$/);
});

test("a wait says when it ends", () => {
	const until = new Date(2025, 0, 1, 21, 4, 10).getTime();
	const note = "the Messages API answered 429 (weekly limit); trying again";
	const line = eventLine(initialState(), { type: "tick.phase", phase: "waiting", n: 1, note, until });
	assert.match(line!, /waiting: the Messages API answered 429 \(weekly limit\); trying again at 21:04:10$/);
});

test("a pause and a stop have lines of their own", () => {
	const at = "2025-01-01T00:00:00.000Z";
	const experiment = { n: 2, reason: "paused by hand" };
	const lines = (
		[
			{ v: 1, seq: 1, at, type: "run.paused", by: "human" },
			{ v: 1, seq: 2, at, type: "experiment.requeued", ...experiment },
			{ v: 1, seq: 3, at, type: "run.resumed", by: "human" },
			{ v: 1, seq: 4, at, type: "run.stop-after", n: 2 },
			{ v: 1, seq: 5, at, type: "run.stop-after" },
		] satisfies JournalEvent[]
	).map((event) => eventLine(initialState(), event)!.slice("00:00:00  ".length));
	assert.deepEqual(lines, [
		"paused",
		"#2 interrupted (paused by hand); it will be trained again",
		"resumed",
		"stops after #2",
		"the stop is cancelled",
	]);
});
