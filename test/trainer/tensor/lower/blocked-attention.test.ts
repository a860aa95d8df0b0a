/** Attention in blocks of queries gives the same results as attention with a [T, T] matrix, and makes none. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../../trainer/tensor/index.ts";
import { BLOCK } from "../../../../trainer/tensor/lower/blocked-attention.ts";
import { portable } from "../../../../trainer/tensor/lower/portable.ts";
import { assertClose, random } from "../numeric.ts";

t.configure({ threads: 1 });

const T = 2 * BLOCK + 13;

/** Attention in plain operations, with a [T, T] matrix: q [1, T, H, D], k and v [1, T, G, D]. */
function written(q: t.Tensor, k: t.Tensor, v: t.Tensor, { causal = true, window = 0 }): t.Tensor {
	const [, , H, D] = q.shape as [number, number, number, number];
	const heads = (x: t.Tensor) => t.concat(repeated(x, H), 2).permute([0, 2, 1, 3]); // [1, H, T, D]
	const sees = (row: number, column: number) =>
		!causal || (column <= row && (window === 0 || column > row - window)) ? 0 : -1e9;
	const mask = Float32Array.from({ length: T * T }, (_, i) => sees(Math.floor(i / T), i % T));
	const scores = t.matmul(heads(q), heads(k), { transposeB: true }).mul(D ** -0.5);
	return t.matmul(t.softmax(scores.add(t.tensor(mask, [T, T]))), heads(v)).permute([0, 2, 1, 3]);
}

/** Each key and value head once for every query head it serves, in a row. */
function repeated(x: t.Tensor, H: number): t.Tensor[] {
	const G = x.dim(2);
	return Array.from({ length: H }, (_, h) => x.slice(2, Math.floor((h * G) / H), Math.floor((h * G) / H) + 1));
}

describe("attention in blocks is attention", () => {
	const cases: [string, number, { causal?: boolean; window?: number }][] = [
		["causal", 2, {}],
		["in a window smaller than a block", 2, { window: 100 }],
		["in a window larger than a block", 2, { window: BLOCK + 100 }],
		["without a mask", 2, { causal: false }],
		["with query heads that share keys", 1, {}],
	];
	for (const [name, G, options] of cases)
		it(name, () => {
			const [q, k, v] = [2, G, G].map((heads, i) => t.input(`${"qkv"[i]}`, [1, T, heads, 4])) as [
				t.Tensor,
				t.Tensor,
				t.Tensor,
			];
			const feeds = Object.fromEntries([q, k, v].map((x, i) => ["qkv"[i], random(x.size, i + 1, -2, 2)]));
			const answers = (y: t.Tensor) => {
				const loss = y.mul(t.tensor(random(y.size, 9), y.shape)).sum();
				const [dq, dk, dv] = t.grad(loss, [q, k, v]) as [t.Tensor, t.Tensor, t.Tensor];
				const program = t.compile({ y, dq, dk, dv }, [], portable);
				const results = program.run(feeds);
				program.close();
				return results;
			};
			const expected = answers(written(q, k, v, options));
			const actual = answers(t.attention(q, k, v, options));
			for (const name of ["y", "dq", "dk", "dv"] as const) assertClose(actual[name].data, expected[name].data, 2e-5);
		});
});

it("memory grows with the length of a sequence, not with its square", () => {
	const activations = (length: number) => {
		const x = t.input("x", [1, length, 1, 4]);
		const program = t.compile({ dx: t.grad(t.attention(x, x, x, { window: 8 }).sum(), [x])[0]! }, [], portable);
		program.close();
		return program.memory.activations;
	};
	assert.ok(activations(16 * BLOCK) < 2 * activations(4 * BLOCK));
});
