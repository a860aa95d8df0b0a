import assert from "node:assert/strict";
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Journal, readJournal } from "../../src/loop/journal.ts";
import { Store } from "../../src/loop/store.ts";
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
