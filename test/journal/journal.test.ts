/** The journal file: torn lines, damage, and events written by older and newer versions. */
import assert from "node:assert/strict";
import fs, { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import type { NewEvent } from "../../src/journal/events.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import { Store } from "../../src/journal/store.ts";
import { spent } from "../../src/journal/usage.ts";
import { tempDir } from "../support/lab.ts";

const notice = (text: string) => ({ type: "notice", level: "info", text }) as const;

function written(path: string, ...texts: string[]): void {
	const journal = new Journal(path, readJournal(path));
	for (const text of texts) journal.append(notice(text));
	journal.close();
}

test("events are numbered from 1 and read back as they were written", (t) => {
	const path = join(tempDir(t), "run", "journal.jsonl");
	written(path, "one", "two");
	written(path, "three");
	const { events, torn } = readJournal(path);
	assert.deepEqual(
		events.map((e) => e.seq),
		[1, 2, 3],
	);
	assert.deepEqual(
		events.map((e) => e.type === "notice" && e.text),
		["one", "two", "three"],
	);
	assert.equal(torn, 0);
});

test("a last line torn by a kill is dropped with a notice, wherever it was torn", (t) => {
	const path = join(tempDir(t), "journal.jsonl");
	written(path, "one", "two");
	const whole = readFileSync(path);
	for (const missing of [1, 2, 10, 40]) {
		writeFileSync(path, whole);
		truncateSync(path, whole.length - missing);
		const store = new Store(path);
		store.close();
		const { events } = readJournal(path);
		assert.equal(events.length, 2);
		const last = events[1]!;
		assert.match(last.type === "notice" ? last.text : "", /torn .* dropped/);
	}
});

test("a journal damaged in the middle is refused with the line's number, and left as it is", (t) => {
	const path = join(tempDir(t), "journal.jsonl");
	written(path, "one", "two");
	const damaged = readFileSync(path, "utf8").replace("{", "x");
	writeFileSync(path, damaged);
	assert.throws(() => readJournal(path), { name: "UserError", message: /journal\.jsonl:1 is not event 1/ });
	assert.equal(readFileSync(path, "utf8"), damaged);
});

test("a line that is there twice is damage", (t) => {
	const path = join(tempDir(t), "journal.jsonl");
	written(path, "one");
	appendFileSync(path, readFileSync(path));
	assert.throws(() => readJournal(path), { message: /:2 is not event 2/ });
});

test("tokens and heard notes of a journal from before they were recorded one by one are not lost", (t) => {
	const path = join(tempDir(t), "journal.jsonl");
	const journal = new Journal(path, readJournal(path));
	const usage = { inputTokens: 10, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, cost: 0.5 };
	const proposed = { title: "a", hypothesis: "", changes: [], seconds: 1 };
	journal.append({ type: "experiment.started", n: 1, parent: "c0", program: "p", researcher: "anthropic" });
	journal.append({ type: "note.added", text: "one" });
	journal.append({ type: "note.added", text: "two" });
	journal.append({ type: "experiment.proposed", n: 1, ...proposed, usage });
	journal.append({ type: "note.heard", n: 1 });
	// A newer version carries on: a repair of the same experiment, and a draft of the next.
	journal.append({ type: "experiment.spent", n: 1, usage });
	journal.append({ type: "experiment.proposed", n: 1, ...proposed });
	journal.append({ type: "experiment.spent", n: 2, usage });
	journal.close();
	const store = new Store(path);
	const { experiments, notes } = store.state;
	assert.equal(experiments[0]!.usage!.inputTokens, 20);
	assert.deepEqual(
		notes.map(({ heardBy }) => heardBy),
		[1, 1],
	);
	assert.equal(spent(store.state)!.cost, 1.5);
	store.close();
});

test("what decides or moves the branch is on the disk before the loop acts on it", (t) => {
	const synced = t.mock.method(fs, "fsyncSync");
	syncBuiltinESMExports();
	t.after(() => {
		synced.mock.restore();
		syncBuiltinESMExports();
	});
	const path = join(tempDir(t), "journal.jsonl");
	const journal = new Journal(path, readJournal(path));
	t.after(() => journal.close());
	const syncs = (event: NewEvent) => {
		const before = synced.mock.callCount();
		journal.append(event);
		return synced.mock.callCount() - before;
	};
	const decisive: NewEvent[] = [
		{ type: "experiment.committed", n: 2, commit: "c2", added: 1, removed: 1 },
		{ type: "experiment.measured", n: 2, value: 1, seconds: 1 },
		{ type: "experiment.decided", n: 2, status: "keep", reason: "better", seconds: {} },
		{ type: "experiment.reverted", n: 2, reason: "reverted by hand" },
		{ type: "experiment.adopted", n: 2, reason: "kept by hand" },
	];
	for (const event of decisive) assert.equal(syncs(event), 1, event.type);
	assert.equal(syncs(notice("a notice")), 0);
});
