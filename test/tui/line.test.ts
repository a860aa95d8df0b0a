import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, cutLine, fit, type Line, lineWidth, pad, spread, take, width, wrap } from "../../src/tui/line.tsx";

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
