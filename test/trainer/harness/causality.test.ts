/** The causality check passes models of the past and finds every kind of look-ahead. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { causalLosses } from "../../../trainer/harness/causality.ts";

const ROWS = 4;
const LENGTH = 12;
const VOCABULARY = 7;

/** A model whose loss at a position is `say(row, position)` of the tokens it was given. */
function check(say: (tokens: number[][], row: number, t: number) => number): Float32Array {
	const losses = (ids: Int32Array) => {
		const rows = Array.from({ length: ROWS }, (_, row) => [...ids.subarray(row * LENGTH, (row + 1) * LENGTH)]);
		return Float32Array.from(rows.flatMap((tokens, row) => tokens.map((_, t) => say(rows, row, t))));
	};
	const tokens = Int32Array.from({ length: ROWS * LENGTH }, (_, i) => (i * 5) % VOCABULARY);
	return causalLosses({ rows: ROWS, length: LENGTH, losses }, tokens, tokens, VOCABULARY, 1);
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

test("a model of the tokens so far passes", () => {
	check((rows, row, t) => sum(rows[row]!.slice(0, t + 1)));
	const losses = check((_, row, t) => row * LENGTH + t);
	assert.deepEqual([...losses], [...Array(ROWS * LENGTH).keys()], "and its losses are those of the true tokens");
});

test("rounding that depends on other tokens passes", () => {
	check((rows, row, t) => sum(rows[row]!.slice(0, t + 1)) + 1e-5 * sum(rows[row]!));
});

test("one token ahead, the whole row, the last token alone or other rows are found", () => {
	const leaks: ((rows: number[][], row: number, t: number) => number)[] = [
		(rows, row, t) => rows[row]![t + 1] ?? 0,
		(rows, row) => 0.1 * sum(rows[row]!),
		(rows, row) => 0.1 * rows[row]!.at(-1)!,
		(rows) => 0.1 * sum(rows.flat()),
		(rows, row, t) => (t === 0 ? sum(rows[row]!) : 0),
	];
	for (const leak of leaks) assert.throws(() => check(leak), /the model looks ahead: its loss at position \d+/);
});

test("numbers that are not finite are found", () => {
	assert.throws(() => check(() => Number.NaN), /loss is not finite \(NaN\)/);
	assert.throws(() => check((_, row, t) => (row === 0 && t === 3 ? Infinity : 0)), /not finite \(Infinity\)/);
	let calls = 0;
	assert.throws(() => check(() => (calls++ < ROWS * LENGTH ? 1 : Number.NaN)), /looks ahead/);
});
