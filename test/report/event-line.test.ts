import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalEvent } from "../../src/journal/events.ts";
import { initialState } from "../../src/journal/state.ts";
import { eventLine } from "../../src/report/event-line.ts";

test("what a server or a model wrote is one line that cannot drive a terminal", () => {
	const text = "the server\r\nanswered \x1b]0;owned\x07\x1b[2J\x9b31mno\u202e";
	const event: JournalEvent = { v: 1, seq: 1, at: "2025-01-01T00:00:00.000Z", type: "notice", level: "warn", text };
	assert.match(eventLine(initialState(), event)!, /^\d\d:\d\d:\d\d {2}warn: the server answered no$/);
	const waiting = eventLine(initialState(), { type: "tick.phase", phase: "waiting", n: 1, note: "\x1b[31m529" });
	assert.match(waiting!, /waiting: 529$/);
});
