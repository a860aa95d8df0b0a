/** The lines of a log that arrives in pieces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLines } from "../../src/tui/use-read.ts";

/** Feeds a text in pieces of `size` characters, as a growing file is read. */
function read(text: string, size: number): LogLines {
	const log = new LogLines();
	for (let at = 0; at < text.length; at += size) {
		const piece = text.slice(at, at + size);
		log.add({ text: piece, from: at, to: at + piece.length, size: text.length });
	}
	return log;
}

test("a progress line that rewrites itself is one line in its last state, however it is cut", () => {
	const log = "ready\n\rstep 1    \rstep 2    \rstep 3    ";
	for (const size of [1, 3, 7, 100]) assert.deepEqual(read(log, size).lines(), ["ready", "step 3    "], `${size}`);
});

test("lines are whole, wherever the pieces were cut, and carry no escape sequences", () => {
	for (const size of [1, 2, 5, 100])
		assert.deepEqual(read("one\n\u001b[31mtwo\u001b[0m\nthree\n", size).lines(), ["one", "two", "three"]);
});

test("a very long log keeps its last lines", () => {
	const text = Array.from({ length: 30_000 }, (_, i) => `line ${i}\n`).join("");
	const lines = read(text, 100_000).lines();
	assert.deepEqual([lines.length, lines[0], lines.at(-1)], [20_000, "line 10000", "line 29999"]);
});

test("a piece says whether it brought anything new", () => {
	const log = new LogLines();
	assert.equal(log.add({ text: "", from: 0, to: 0, size: 0 }), true);
	assert.equal(log.add({ text: "", from: 0, to: 0, size: 0 }), false);
	assert.equal(log.add({ text: "a", from: 0, to: 1, size: 1 }), true);
});
