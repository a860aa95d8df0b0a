import assert from "node:assert/strict";
import { test } from "node:test";
import {
	cut,
	cutLine,
	drawn,
	fit,
	type Line,
	lineWidth,
	pad,
	spread,
	take,
	width,
	wrap,
	wrapLine,
	wrapTo,
} from "../../src/tui/line.tsx";

const text = (line: Line) => line.map((span) => (typeof span === "string" ? span : span[0])).join("");

test("width is counted in cells, not in characters", () => {
	assert.deepEqual(["abc", "⣿█─", "日本", "é", "👍"].map(width), [3, 3, 4, 1, 2]);
});

test("a cut says so, and never splits a wide character", () => {
	assert.equal(cut("hypothesis", 6, "…"), "hypot…");
	assert.equal(cut("日本語", 4, "…"), "日…");
	assert.equal(take("日本語", 5), "日本");
	assert.equal(pad("日本語", 4, "…"), "日… ");
	assert.equal(pad("7", 3, "…", "right"), "  7");
});

test("a line is cut inside a span and keeps its styles", () => {
	const line: Line = ["best ", ["1.410706", "good"], " #37"];
	assert.deepEqual(cutLine(line, 9, "…"), ["best ", ["1.4…", "good"]]);
	assert.equal(cutLine(line, 17, "…"), line);
	assert.equal(text(cutLine(["12345", "6"], 5, "…")), "1234…");
	assert.equal(text(cutLine(line, 0, "…")), "");
});

test("a fitted line fills its cells exactly", () => {
	for (const cells of [0, 1, 5, 9, 17, 40])
		assert.equal(lineWidth(fit(["best ", ["1.410706", "good"], " 日本"], cells, "…")), cells);
});

test("two ends of a line share it; the left gives way", () => {
	assert.equal(text(spread(["left side"], ["right"], 12, "…")), "left … right");
	assert.equal(text(spread(["left"], ["right"], 5, "…")), "left ");
});

test("words are wrapped, and one that is too long is broken", () => {
	assert.deepEqual(wrap("the quick brown fox", 9), ["the quick", "brown fox"]);
	assert.deepEqual(wrap("a_very_long_name x", 6), ["a_very", "_long_", "name x"]);
	assert.deepEqual(wrap("  ", 5), []);
});

test("what terminals give different widths is drawn as what they agree on, and the rest as it is", () => {
	const agreed = "plain → 日本語 한국 🚀 👍 é Việt กิ่ง שָׁ";
	assert.equal(drawn(agreed), agreed);
	const pairs: Record<string, string> = {
		"👍🏽": "👍",
		"👨‍👩‍👧": "👨👩👧",
		"❤️ 1️⃣": "❤ 1",
		"🇩🇪🇫🇷": "DEFR",
		नमस्ते: "नमसत",
		กำ: "ก",
		"e\u0301": "é",
		"x\u0301\u0302\u0303\u0304\u0305": "x",
		"\u0301a": "a",
		"\u1112\u1161\u11ab": "한",
		"a\u200bb\u202ec\u00ad": "abc",
		"\u001b[31mred\u001b[0m\u0007": "red",
		"a\tb": "a    b",
	};
	for (const [text, shown] of Object.entries(pairs)) {
		assert.equal(drawn(text), shown);
		assert.equal(drawn(shown), shown, "drawn once is drawn for good");
		assert.equal(width(text), width(shown));
	}
});

test("a text cut to a few lines says so, and keeps its ending", () => {
	assert.deepEqual(wrapTo("one two three four", 9, 2, "…"), ["one two", "three…"]);
	assert.deepEqual(wrapTo("one two", 10, 2, "…", ", 1:37 left."), ["one two,", "1:37 left."]);
	assert.deepEqual(wrapTo("one two three four", 12, 1, "…", ", 1:37."), ["one…, 1:37."]);
});

test("a line takes as many rows as it needs, breaks at blanks, and stays clear of what it begins with", () => {
	const rows = (line: Line, cells: number, hang?: RegExp) => wrapLine(line, cells, hang).map(text);
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
