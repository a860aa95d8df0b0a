/** Text and lines broken into rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Line, lineText } from "../../src/tui/line.ts";
import { wrapLine, wrapText, wrapTextTo } from "../../src/tui/wrap.ts";

test("words are wrapped, and one that is too long is broken", () => {
	assert.deepEqual(wrapText("the quick brown fox", 9), ["the quick", "brown fox"]);
	assert.deepEqual(wrapText("a_very_long_name x", 6), ["a_very", "_long_", "name x"]);
	assert.deepEqual(wrapText("  ", 5), []);
});

test("a text cut to a few lines says so, and keeps its ending", () => {
	assert.deepEqual(wrapTextTo("one two three four", 9, 2, "…"), ["one two", "three…"]);
	assert.deepEqual(wrapTextTo("one two", 10, 2, "…", ", 1:37 left."), ["one two,", "1:37 left."]);
	assert.deepEqual(wrapTextTo("one two three four", 12, 1, "…", ", 1:37."), ["one…, 1:37."]);
});

test("a line takes as many rows as it needs, breaks at blanks, and stays clear of what it begins with", () => {
	const rows = (line: Line, cells: number, hang?: RegExp) => wrapLine(line, cells, hang).map(lineText);
	assert.deepEqual(rows(["the quick ", ["brown fox jumps", "good"]], 9), ["the quick", "brown fox", "jumps"]);
	assert.deepEqual(rows(["    indented words"], 12), ["    indented", "    words"]);
	assert.deepEqual(rows(["abcdefgh ij"], 4), ["abcd", "efgh", "ij"]);
	assert.deepEqual(rows(["12 + const a = bcd + e"], 12, /^\d+ . \s*/), ["12 + const a", "     = bcd +", "     e"]);
	assert.deepEqual(rows(["日本語日本"], 5), ["日本", "語日", "本"]);
	assert.deepEqual(
		wrapLine(
			[
				["good ", "good"],
				["bad", "bad"],
			],
			4,
		),
		[[["good", "good"]], [["bad", "bad"]]],
	);
});
