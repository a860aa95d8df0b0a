/** Lines of spans: cut, padded and joined. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fitLine, type Line, lineText, lineWidth, spreadLine, truncateLine } from "../../src/tui/line.ts";

test("a line is cut inside a span and keeps its styles", () => {
	const line: Line = ["best ", ["1.410706", "good"], " #37"];
	assert.deepEqual(truncateLine(line, 9, "…"), ["best ", ["1.4…", "good"]]);
	assert.equal(truncateLine(line, 17, "…"), line);
	assert.equal(lineText(truncateLine(["12345", "6"], 5, "…")), "1234…");
	assert.equal(lineText(truncateLine(line, 0, "…")), "");
});

test("a fitted line fills its cells exactly", () => {
	for (const cells of [0, 1, 5, 9, 17, 40])
		assert.equal(lineWidth(fitLine(["best ", ["1.410706", "good"], " 日本"], cells, "…")), cells);
});

test("two ends of a line share it; the left gives way", () => {
	assert.equal(lineText(spreadLine(["left side"], ["right"], 12, "…")), "left … right");
	assert.equal(lineText(spreadLine(["left"], ["right"], 5, "…")), "left ");
});
