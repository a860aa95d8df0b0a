/** The probe passes models of the past and finds every kind of look-ahead, wherever it hides. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { randomFrom } from "../../../prepare/random.ts";
import { probedLosses } from "../../../trainer/harness/causality.ts";

const ROWS = 4;
const LENGTH = 64;
const BATCHES = 8;
const VOCABULARY = 97;

const draw = randomFrom(5);
/** What follows a token, most of the time. */
const successor = (token: number) => (token * 5 + 3) % VOCABULARY;
const batches = Array.from({ length: BATCHES }, () => {
	let token = 0;
	const next = () => (token = draw() < 0.2 ? Math.floor(draw() * VOCABULARY) : successor(token));
	const text = () => Int32Array.from({ length: ROWS * LENGTH }, next);
	return { tokens: text(), targets: text() };
});

/** The loss at a position `t` of one row of a batch. */
type Model = (row: Int32Array, t: number, slot: number, rows: readonly Int32Array[]) => number;

/** Runs the probe on a model, with random numbers from `seed` or its own. */
function probe(say: Model, seed?: number): Float32Array[] {
	const losses = (tokens: Int32Array) => {
		const rows = Array.from({ length: ROWS }, (_, r) => tokens.subarray(r * LENGTH, (r + 1) * LENGTH));
		return Float32Array.from({ length: ROWS * LENGTH }, (_, i) => {
			const slot = Math.floor(i / LENGTH);
			return say(rows[slot]!, i % LENGTH, slot, rows);
		});
	};
	const random = seed === undefined ? undefined : randomFrom(seed);
	return probedLosses({ rows: ROWS, length: LENGTH, losses }, batches, VOCABULARY, random);
}

const mean = (row: Int32Array) => row.reduce((a, b) => a + b, 0) / VOCABULARY / row.length;
const past: Model = (row, t) => 3 + mean(row.subarray(0, t + 1));

describe("the probe of look-ahead", () => {
	it("passes a model of the tokens so far, and gives its losses in their order", () => {
		const losses = probe(past);
		for (const [b, { tokens }] of batches.entries())
			for (let i = 0; i < ROWS * LENGTH; i++) {
				const row = tokens.subarray(i - (i % LENGTH), i - (i % LENGTH) + LENGTH);
				assert.equal(losses[b]![i], Math.fround(past(row, i % LENGTH, 0, [])));
			}
	});

	it("passes rounding that depends on other tokens", () => {
		probe((row, t, slot, rows) => past(row, t, slot, rows) + 1e-6 * (mean(row) - 0.5));
	});

	const leaks: Record<string, Model> = {
		"the next token": (row, t) => (row[t + 1] ?? 0) / VOCABULARY,
		"the whole row": (row) => mean(row),
		"the last token alone": (row) => row.at(-1)! / VOCABULARY,
		"the other rows": (_row, t, _slot, rows) => mean(rows[0]!.subarray(0, t + 1)),
		"the mean of the batch so far": (_row, t, _slot, rows) =>
			rows.reduce((sum, row) => sum + mean(row.subarray(0, t + 1)), 0) / ROWS,
		"its place in the batch": (row, t, slot) => mean(row.subarray(0, t + 1)) + 0.01 * slot,
		"the next token, in one row of the batch alone": (row, t, slot) => (slot === 2 ? (row[t + 1] ?? 0) : 0),
		"the next token, at one position of each row": (row, t) => (t === 17 ? row[18]! : 0),
		"the next token, in rows that begin with few tokens": (row, t) => (row[0]! < 15 ? (row[t + 1] ?? 0) : 0),
		"the next token, where all are as in the text": (row, t) =>
			batches.some(({ tokens }) => tokens.indexOf(row[5]!) >= 0 && row[t + 1]! % 2 === 0) ? 1 : 0,
		"the next token, by less than one loss may change": (row, t) => (row[t + 1] === successor(row[t]!) ? -5e-5 : 0),
	};
	for (const [name, leak] of Object.entries(leaks)) {
		it(`finds a model of ${name}, with every seed`, () => {
			for (let seed = 0; seed < 5; seed++) {
				const reason = /^the model looks ahead: losses change with the tokens after their position or with other rows$/;
				assert.throws(() => probe((row, t, slot, rows) => 3 + leak(row, t, slot, rows), seed), { message: reason });
			}
		});
	}

	it("finds a leak at one position of a thousand with 99 in a hundred seeds", () => {
		const hidden = new Set<string>();
		const places = BATCHES * ROWS * LENGTH;
		const pick = randomFrom(9);
		const key = (row: Int32Array, t: number) => `${row[0]},${row[1]},${row[2]},${t}`;
		while (hidden.size < places / 1000) {
			const { tokens } = batches[Math.floor(pick() * BATCHES)]!;
			const start = Math.floor(pick() * ROWS) * LENGTH;
			hidden.add(key(tokens.subarray(start, start + LENGTH), 3 + Math.floor(pick() * (LENGTH - 4))));
		}
		let missed = 0;
		for (let seed = 0; seed < 100; seed++) {
			try {
				probe((row, t) => (hidden.has(key(row, t)) ? 3 + row[t + 1]! / VOCABULARY : 3), seed);
				missed++;
			} catch {}
		}
		assert.ok(missed <= 1, `missed with ${missed} seeds of 100`);
	});

	it("finds losses that are not finite", () => {
		assert.throws(() => probe(() => Number.NaN), /loss is not finite \(NaN\)/);
		assert.throws(() => probe((_, t) => (t === 3 ? Infinity : 0)), /not finite \(Infinity\)/);
		let calls = 0;
		assert.throws(() => probe(() => (calls++ < BATCHES * ROWS * LENGTH ? 1 : Number.NaN)), /looks ahead/);
	});
});
