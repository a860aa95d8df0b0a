/** Charts made of Braille or ASCII characters. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bounds, type Frame, plot, quantile, type Series } from "../../src/report/chart.ts";

const draw = (series: Series[], frame: Partial<Frame>) =>
	plot(series, { width: 4, height: 2, x: [0, 7], y: [0, 7], ascii: false, ...frame })
		.map((runs) => runs.map(({ text }) => text).join(""))
		.join("\n");

test("a rising line climbs from the lower left to the upper right, eight dots to a cell", () => {
	const rising: Series = {
		points: [
			[0, 0],
			[7, 7],
		],
		draw: "line",
		ascii: "*",
	};
	assert.equal(draw([rising], {}), "  ⡠⠊\n⡠⠊  ");
});

test("in ASCII each series has its own sign", () => {
	const flat: Series = {
		points: [
			[0, 0],
			[7, 0],
		],
		draw: "steps",
		ascii: "-",
	};
	const point: Series = { points: [[7, 7]], draw: "dots", ascii: "o" };
	assert.equal(draw([flat, point], { ascii: true }), "   o\n----");
});

test("points outside and points that are not numbers are left out", () => {
	const points = [
		[0, 100],
		[3, Number.NaN],
		[7, -50],
	] as const;
	assert.equal(draw([{ points, draw: "dots", ascii: "*" }], {}), "    \n    ");
});

test("dashes differ from a line without colour", () => {
	const points = [
		[0, 3],
		[7, 3],
	] as const;
	assert.notEqual(draw([{ points, draw: "dashes", ascii: "." }], {}), draw([{ points, draw: "line", ascii: "*" }], {}));
});

test("each run says which series it belongs to, the later one on top", () => {
	const low: Series = {
		points: [
			[0, 0],
			[7, 0],
		],
		draw: "line",
		ascii: "a",
	};
	const over: Series = {
		points: [
			[0, 0],
			[1, 0],
		],
		draw: "line",
		ascii: "b",
	};
	const [, bottom] = plot([low, over], { width: 4, height: 2, x: [0, 7], y: [0, 7], ascii: false });
	assert.deepEqual(
		bottom?.map(({ series }) => series),
		[1, 0],
	);
});

test("a scale is round and covers its values, even a single one", () => {
	const [low, high] = bounds(1.4107, 1.4269);
	assert.ok(low <= 1.4107 && high >= 1.4269);
	assert.deepEqual(bounds(1.4107, 1.4268), [low, high]);
	const [below, above] = bounds(3, 3);
	assert.ok(below < 3 && above > 3);
});

test("a quantile leaves outliers out", () => {
	assert.equal(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1000], 0.9), 10);
});
