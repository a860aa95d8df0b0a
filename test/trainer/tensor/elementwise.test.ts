/** What elementwise operations compute is exact where their names promise it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../trainer/tensor/index.ts";
import { lowerings } from "./lowerings.ts";
import { evaluate } from "./numeric.ts";

/** Of magnitudes that a sum would lose. */
const A = Float32Array.of(-1e9, 1e10, 3e38, -3e38, 1e-40, -2.5, 0.1, 7);
const B = Float32Array.of(0.5, 1, -3e38, 3e38, 2e-40, -2.25, 0.1, -1e-30);
const [a, b] = [t.input("a", [A.length]), t.input("b", [B.length])];

for (const lowering of lowerings) {
	describe(`one of two operands is chosen, and nothing else: ${lowering.name}`, () => {
		const chosen = (tensor: t.Tensor) => [...evaluate(tensor, { a: A, b: B }, lowering)];
		const ofA = (tensor: t.Tensor) => [...evaluate(tensor, { a: A }, lowering)];
		it("maximum and minimum of tensors", () => {
			assert.deepEqual(
				chosen(t.maximum(a, b)),
				Array.from(A, (v, i) => Math.max(v, B[i]!)),
			);
			assert.deepEqual(
				chosen(t.minimum(a, b)),
				Array.from(A, (v, i) => Math.min(v, B[i]!)),
			);
		});
		it("maximum and minimum with a number", () => {
			assert.deepEqual(
				ofA(t.maximum(a, 0.5)),
				Array.from(A, (v) => Math.max(v, 0.5)),
			);
			assert.deepEqual(
				ofA(t.minimum(1, a)),
				Array.from(A, (v) => Math.min(v, 1)),
			);
		});
		it("where", () => {
			assert.deepEqual(
				chosen(t.where(t.step(b), a, -1e9)),
				Array.from(A, (v, i) => (B[i]! > 0 ? v : -1e9)),
			);
		});
		it("a NaN stays a NaN", () => {
			const nan = { a: A.map(() => Number.NaN), b: B };
			assert.ok(evaluate(t.maximum(a, b), nan, lowering).every(Number.isNaN));
			assert.ok(evaluate(t.minimum(b, a), nan, lowering).every(Number.isNaN));
		});
		it("between equals, the gradient goes to the first", () => {
			const gradients = t.grad(t.maximum(a, b).add(t.minimum(a, b)).sum(), [a, b]);
			const [toA, toB] = gradients.map((g) => [...evaluate(g, { a: A, b: A }, lowering)]);
			assert.deepEqual(
				[toA, toB],
				[A.map(() => 2), A.map(() => 0)].map((g) => [...g]),
			);
		});
	});
}

const X = Float32Array.of(-1, 0, 1, 100);
const x = t.input("x", [X.length]);
const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN];
/** What the docstrings say of values at the edge of each domain, for -1, 0, 1 and 100. */
const edges: [name: string, y: t.Tensor, expected: number[]][] = [
	["exp", t.exp(x), [Math.exp(-1), 1, Math.E, inf]],
	["log", t.log(x), [nan, -inf, 0, Math.log(100)]],
	["sqrt", t.sqrt(x), [nan, 0, 1, 10]],
	["rsqrt", t.rsqrt(x), [nan, inf, 1, 0.1]],
	["div", t.div(x, t.mul(x, 0)), [-inf, nan, inf, inf]],
	["pow", t.pow(x, 1.5), [nan, 0, 1, 1000]],
	["step", t.step(x), [0, 0, 1, 1]],
	["sign", t.sign(x), [-1, 0, 1, 1]],
	["gradient of abs", t.grad(t.abs(x).sum(), [x])[0]!, [-1, 0, 1, 1]],
	["gradient of relu", t.grad(t.relu(x).sum(), [x])[0]!, [0, 0, 1, 1]],
	["gradient of sqrt", t.grad(t.sqrt(x).sum(), [x])[0]!, [nan, inf, 0.5, 0.05]],
	["gradient of pow", t.grad(t.pow(x, 1.5).sum(), [x])[0]!, [nan, nan, 1.5, 15]],
];
for (const lowering of lowerings) {
	describe(`at the edge of its domain each operation gives what its docstring says: ${lowering.name}`, () => {
		for (const [name, y, expected] of edges)
			it(name, () => {
				const actual = evaluate(y, { x: X }, lowering);
				for (const [i, want] of expected.entries()) {
					const got = actual[i]!;
					// The division by 0 · -1 is one by -0.
					const isSame = name === "div" ? Math.abs(got) === Math.abs(want) : got === want;
					const isClose = Math.abs(got - want) <= 1e-5 * Math.abs(want);
					assert.ok(
						isSame || isClose || (Number.isNaN(got) && Number.isNaN(want)),
						`${X[i]} gives ${got}, not ${want}`,
					);
				}
			});
	});
}

describe("shapes as PyTorch's methods take them", () => {
	it("one by one or in a list", () => {
		const x = t.input("x", [2, 3, 4]);
		assert.deepEqual(x.reshape(4, -1).shape, [4, 6]);
		assert.deepEqual(x.reshape([4, -1]).shape, [4, 6]);
		assert.deepEqual(x.permute(2, 0, 1).shape, [4, 2, 3]);
		assert.deepEqual(x.permute([2, 0, 1]).shape, [4, 2, 3]);
	});
});
