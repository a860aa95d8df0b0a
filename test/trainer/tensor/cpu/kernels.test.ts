/**
 * Every kernel, in every instruction set this machine can run, against plain double-precision arithmetic: on sizes with
 * tails in each dimension, in arrays that end at an inaccessible page, with 1, 2 and 3 threads.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import koffi from "koffi";
import type { KernelArguments, KernelName } from "../../../../trainer/tensor/cpu/descriptor.ts";
import type { Kernels } from "../../../../trainer/tensor/cpu/load.ts";
import {
	abs,
	add,
	cos,
	div,
	exp,
	input,
	log,
	mul,
	relu,
	sigmoid,
	silu,
	sin,
	softcap,
	sqrt,
	square,
	step,
	sub,
	type Tensor,
	tanh,
} from "../../../../trainer/tensor/index.ts";
import { FusedExpression } from "../../../../trainer/tensor/lower/fused-expression.ts";
import { affine } from "../../../../trainer/tensor/ops/elementwise.ts";
import { builds } from "./builds.ts";
import { guarded } from "./guarded.ts";
import * as reference from "./reference.ts";

type Values = Float32Array | Int32Array;
interface Output {
	expected: ArrayLike<number>;
	/** Largest error allowed, relative to the larger of 1 and the value; gradients come from differences. */
	tolerance?: number;
}

/** Numbers in (-scale, scale) without a pattern, the same for the same seed. */
function random(count: number, seed: number, scale = 1): Float32Array {
	return Float32Array.from({ length: count }, (_, i) => scale * Math.sin(12.9898 * (i + 1) + 78.233 * seed));
}

/** Rows of `width` elements at a distance of `stride`, NaN between them. */
function spread(x: ArrayLike<number>, width: number, stride: number): Float32Array {
	const rows = x.length / width;
	const y = new Float32Array(Math.max(0, rows * stride - (stride - width))).fill(Number.NaN);
	for (let i = 0; i < x.length; i++) y[Math.floor(i / width) * stride + (i % width)] = x[i]!;
	return y;
}

/** The nearest bf16. */
function toBf16(x: number): number {
	const [float, bits] = [Float32Array.of(x), new Uint32Array(1)];
	bits[0] = new Uint32Array(float.buffer)[0]!;
	bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000;
	return new Float32Array(bits.buffer)[0]!;
}

function assertClose(actual: Float32Array, { expected, tolerance = 2e-6 }: Output, what: string): void {
	for (let i = 0; i < expected.length; i++) {
		const [got, want] = [actual[i]!, expected[i]!];
		const close = Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want));
		assert.ok(close || Object.is(got, want), `${what}: element ${i} is ${got}, should be ${want}`);
	}
}

/**
 * Runs a kernel on guarded arrays, for 1, 2 and 3 threads its shares one after the other and then by those threads;
 * checks results, inputs, guards and bits.
 */
function check<K extends KernelName>(
	kernels: Kernels,
	kernel: K,
	inputs: Record<string, Values>,
	outputs: Record<string, Output>,
	rest: Record<string, number>,
): void {
	for (const threads of [1, 2, 3]) {
		kernels.shareWork(threads);
		let alone: Record<string, Int32Array> | undefined;
		for (const parallel of [false, true]) {
			const arrays = Object.fromEntries([
				...Object.entries(inputs).map(([name, values]) => [name, guarded(values)] as const),
				...Object.entries(outputs).map(([name, { expected }]) => {
					return [name, guarded(new Float32Array(expected.length).fill(Number.NaN))] as const;
				}),
			]);
			const addresses = Object.fromEntries(Object.entries(arrays).map(([name, { address }]) => [name, address]));
			const values = { ...addresses, ...rest } as unknown as KernelArguments<K>;
			if (parallel) kernels.runParallel(kernel, values);
			else kernels.run(kernel, values, threads);
			const results: Record<string, Int32Array> = {};
			for (const [name, array] of Object.entries(arrays)) {
				const what = `${kernel}, ${name}, ${threads} threads`;
				array.assertIntact();
				const input = inputs[name];
				if (input)
					assert.deepEqual(array.bits, new Int32Array(input.buffer, 0, input.length), `${what}: input changed`);
				else {
					assertClose(array.array, outputs[name]!, what);
					results[name] = array.bits.slice();
				}
				array.free();
			}
			if (parallel) assert.deepEqual(results, alone, `${kernel}, ${threads} threads: not the bits of its shares`);
			else alone = results;
		}
	}
}

const { kernels: built, missing } = await builds();

for (const [variant, kernels] of built) {
	describe(`CPU kernels, ${variant} build (${kernels.target})`, () => {
		const skipBf16 = !kernels.has("sgemm_bf16") && "this build has no bf16";
		test("a product of bf16 is that of the rounded operands, whichever side is transposed", { skip: skipBf16 }, () => {
			for (const [m, n, k] of [
				[1, 1, 1],
				[13, 33, 2],
				[7, 50, 31],
				[25, 40, 33],
				[37, 97, 1301],
			] as const) {
				const [a, b] = [random(m * k, 1).map(toBf16), random(k * n, 2).map(toBf16)];
				const expected = reference.product(a, b, m, n, k);
				// What rounding takes away must not matter.
				const [nearA, nearB] = [a, b].map((x) => x.map((v) => v * (1 + 2 ** -10))) as [Float32Array, Float32Array];
				for (const aTransposed of [false, true])
					for (const bTransposed of [false, true]) {
						const [padA, padB] = [aTransposed ? m + 3 : k + 1, bTransposed ? k + 2 : n + 5];
						check(
							kernels,
							"sgemm_bf16",
							{
								a: aTransposed ? spread(reference.transposed(nearA, m, k), m, padA) : spread(nearA, k, padA),
								b: bTransposed ? spread(reference.transposed(nearB, k, n), k, padB) : spread(nearB, n, padB),
							},
							{ c: { expected, tolerance: 1e-4 } },
							{
								...{ batch: 1, heads: 1, m, n, k, c_row: n },
								...{ a_row: aTransposed ? 1 : padA, a_col: aTransposed ? padA : 1 },
								...{ b_row: bTransposed ? 1 : padB, b_col: bTransposed ? padB : 1 },
								...{ a_batch: 0, a_head: 0, b_batch: 0, b_head: 0, c_batch: 0, c_head: 0 },
							},
						);
					}
			}
		});

		test("a matrix product is right whichever side is transposed, at every size", () => {
			const sizes = [
				...[
					[1, 1, 1],
					[1, 33, 1],
					[13, 1, 5],
					[5, 7, 3],
					[12, 32, 16],
					[25, 31, 17],
					[64, 48, 130],
					[37, 97, 323],
					[3, 521, 40],
					[2, 1024, 640], // the largest block of b there is
				],
				...[
					[0, 5, 3],
					[5, 0, 3],
					[2, 3, 0],
				],
			] as [number, number, number][];
			for (const [m, n, k] of sizes) {
				const [a, b] = [random(m * k, 1), random(k * n, 2)];
				const c = reference.product(a, b, m, n, k);
				for (const aTransposed of [false, true])
					for (const bTransposed of [false, true]) {
						const [padA, padB, padC] = [aTransposed ? m + 3 : k + 1, bTransposed ? k + 2 : n + 5, n + 1];
						check(
							kernels,
							"sgemm",
							{
								a: aTransposed ? spread(reference.transposed(a, m, k), m, padA) : spread(a, k, padA),
								b: bTransposed ? spread(reference.transposed(b, k, n), k, padB) : spread(b, n, padB),
							},
							{ c: { expected: spread(c, n, padC), tolerance: 1e-5 } },
							{
								...{ batch: 1, heads: 1, m, n, k, c_row: padC },
								...{ a_row: aTransposed ? 1 : padA, a_col: aTransposed ? padA : 1 },
								...{ b_row: bTransposed ? 1 : padB, b_col: bTransposed ? padB : 1 },
								...{ a_batch: 0, a_head: 0, b_batch: 0, b_head: 0, c_batch: 0, c_head: 0 },
							},
						);
					}
			}
		});

		test("a matrix product runs over heads by strides and repeats an operand of stride 0", () => {
			const [batch, heads, m, n, k] = [3, 2, 7, 9, 5];
			const a = random(batch * m * heads * k, 1); // [batch, m, heads, k]
			const b = random(heads * k * n, 2); // [heads, k, n], the same for each of the batch
			const expected = new Float32Array(batch * heads * m * n);
			for (let x = 0; x < batch; x++)
				for (let y = 0; y < heads; y++) {
					const rows = Array.from({ length: m }, (_, i) => a.subarray(((x * m + i) * heads + y) * k).subarray(0, k));
					const left = Float32Array.from(rows.flatMap((row) => [...row]));
					expected.set(reference.product(left, b.subarray(y * k * n), m, n, k), (x * heads + y) * m * n);
				}
			check(
				kernels,
				"sgemm",
				{ a, b },
				{ c: { expected } },
				{
					...{ batch, heads, m, n, k },
					...{ a_row: heads * k, a_col: 1, a_batch: m * heads * k, a_head: k },
					...{ b_row: n, b_col: 1, b_batch: 0, b_head: k * n },
					...{ c_row: n, c_batch: heads * m * n, c_head: m * n },
				},
			);
		});

		test("a matrix product takes operands without a unit stride", () => {
			const [m, n, k] = [5, 37, 6];
			const [a, b] = [random(m * k, 1), random(k * n, 2)];
			const [wideA, wideB] = [spread(a, 1, 2), spread(b, 1, 3)];
			check(
				kernels,
				"sgemm",
				{ a: wideA, b: wideB },
				{ c: { expected: reference.product(a, b, m, n, k) } },
				{
					...{
						batch: 1,
						heads: 1,
						m,
						n,
						k,
						a_row: 2 * k,
						a_col: 2,
						b_row: 3 * n,
						b_col: 3,
						c_row: n,
					},
					...{ a_batch: 0, a_head: 0, b_batch: 0, b_head: 0, c_batch: 0, c_head: 0 },
				},
			);
		});

		describe("attention, forward and backward", () => {
			const shape = { batch: 2, length: 37, heads: 2, kvHeads: 2, dim: 5, causal: true, window: 0, scale: 0.7 };
			const shapes: [string, reference.AttentionShape][] = [
				["is causal", shape],
				["keeps to a sliding window", { ...shape, length: 61, window: 9, batch: 1 }],
				["takes a window longer than the sequence", { ...shape, window: 100 }],
				["takes a window of one, which attends to nothing but itself", { ...shape, window: 1 }],
				["shares key heads among groups of query heads", { ...shape, heads: 6, kvHeads: 2, length: 19 }],
				["sees the whole sequence when not causal", { ...shape, causal: false }],
				["takes one token", { ...shape, length: 1 }],
				["takes heads wider than a vector, of odd width", { ...shape, dim: 43, length: 67, batch: 1, scale: 0.1 }],
				[
					"takes sequences of several blocks",
					{ ...shape, batch: 1, heads: 1, kvHeads: 1, dim: 17, length: 261, window: 170, scale: 0.2 },
				],
				["takes no tokens at all", { ...shape, length: 0 }],
			];
			for (const [title, shape] of shapes) test(title, () => checkAttention(kernels, shape));
		});

		test("cross-entropy gives losses and gradients, with and without softcap, weights and ignored targets", () => {
			for (const vocab of [1, 5, 16, 37, 130])
				for (const softcap of [0, 6])
					for (const weighted of [false, true]) {
						const targets = Int32Array.from([0, vocab - 1, -1, vocab >> 1]);
						const rows = targets.length;
						const [z, weights] = [random(rows * vocab, 1, 9), random(rows, 2)];
						const weight = (r: number) => 0.25 * (weighted ? weights[r]! : 1);
						const loss = (x: Float64Array) => reference.crossEntropy(x, targets, vocab, softcap);
						const dz = reference
							.gradient(
								z,
								targets.map(() => 1),
								loss,
							)
							.map((g, i) => g * weight(Math.floor(i / vocab)));
						check(
							kernels,
							"cross_entropy",
							{ z: spread(z, vocab, vocab + 3), targets, ...(weighted && { weights }) },
							{
								losses: { expected: loss(Float64Array.from(z)).map((x, r) => x * weight(r)) },
								dz: { expected: spread(dz, vocab, vocab + 1), tolerance: 1e-5 },
							},
							{ rows, vocab, z_row: vocab + 3, dz_row: vocab + 1, weight: 0.25, softcap },
						);
					}
		});

		test("cross-entropy gives the same losses without a gradient, and its gradient may overwrite the logits", () => {
			const [rows, vocab] = [3, 50];
			const [z, targets] = [random(rows * vocab, 1, 30), Int32Array.from([49, 0, 20])];
			const sizes = { rows, vocab, z_row: vocab, dz_row: vocab, weight: 1 };
			for (const softcap of [0, 15]) {
				const loss = (x: Float64Array) => reference.crossEntropy(x, targets, vocab, softcap);
				const losses = { expected: loss(Float64Array.from(z)) };
				check(kernels, "cross_entropy", { z, targets }, { losses }, { ...sizes, softcap });
				const [logits, ids, out] = [guarded(z), guarded(targets), guarded(new Float32Array(rows))];
				const addresses = { z: logits.address, targets: ids.address, losses: out.address, dz: logits.address };
				kernels.run("cross_entropy", { ...addresses, ...sizes, softcap });
				const expected = reference.gradient(z, [1, 1, 1], loss);
				assertClose(logits.array, { expected, tolerance: 1e-5 }, "dz in place");
				for (const array of [logits, ids, out]) array.free();
			}
		});

		test("a target beyond the vocabulary makes the loss NaN instead of reading there", () => {
			const [z, targets, losses, dz] = [
				random(7, 1),
				Int32Array.from([7]),
				new Float32Array(1),
				new Float32Array(7),
			].map(guarded);
			kernels.run("cross_entropy", {
				...{ z: z!.address, targets: targets!.address, losses: losses!.address, dz: dz!.address },
				...{ rows: 1, vocab: 7, z_row: 7, dz_row: 7, weight: 1, softcap: 0 },
			});
			assert.ok(Number.isNaN(losses!.array[0]));
			assert.ok(dz!.array.every(Number.isNaN));
		});

		test("softmax along rows", () => {
			for (const width of [1, 3, 16, 33, 100]) {
				const [rows, scale] = [5, 0.3];
				const x = random(rows * width, 1, 20);
				const f = (v: Float64Array) => reference.byRow(v, width, (row) => reference.softmax(row.map((e) => e * scale)));
				const y = f(Float64Array.from(x));
				const [xRow, yRow] = [width + 2, width + 1];
				check(
					kernels,
					"softmax",
					{ x: spread(x, width, xRow) },
					{ y: { expected: spread(y, width, yRow) } },
					{
						...{ rows, width, x_row: xRow, y_row: yRow, scale },
					},
				);
			}
		});

		test("RMS norm, forward and backward", () => {
			for (const width of [1, 5, 16, 40, 129]) {
				const [rows, eps] = [4, 1e-5];
				const [x, dy] = [random(rows * width, 1, 3), random(rows * width, 2)];
				const f = (v: Float64Array) => reference.byRow(v, width, (row) => reference.rmsNorm(row, eps));
				const expected = spread(f(Float64Array.from(x)), width, width + 1);
				const strided = spread(x, width, width + 2);
				check(
					kernels,
					"rms_norm",
					{ x: strided },
					{ y: { expected } },
					{ rows, width, x_row: width + 2, y_row: width + 1, eps },
				);
				const dx = reference.gradient(x, dy, f);
				const strides = { rows, width, x_row: width + 2, dy_row: width, dx_row: width, eps };
				check(kernels, "rms_norm_back", { x: strided, dy }, { dx: { expected: dx, tolerance: 1e-5 } }, strides);
			}
		});

		test("rotary turns the two halves of each head, and backward turns them back", () => {
			const [batch, length, heads] = [2, 3, 2];
			for (const half of [1, 8, 19]) {
				const x = random(batch * length * heads * 2 * half, 1);
				const angles = random(length * half, 2, 3);
				const [cosine, sine] = [angles.map(Math.cos), angles.map(Math.sin)];
				const turn = (v: ArrayLike<number>, direction: number) =>
					Float64Array.from(v, (_, i) => {
						const at = i % (2 * half);
						const angle = (Math.floor(i / (2 * half * heads)) % length) * half + (at % half);
						const [c, s] = [cosine[angle]!, sine[angle]! * direction];
						return at < half ? v[i]! * c + v[i + half]! * s : v[i]! * c - v[i - half]! * s;
					});
				const strides = (name: string) => ({
					[`${name}_batch`]: length * heads * 2 * half,
					[`${name}_time`]: heads * 2 * half,
					[`${name}_head`]: 2 * half,
				});
				const shape = { batch, length, heads, half };
				check(
					kernels,
					"rotary",
					{ x, cosine, sine },
					{ y: { expected: turn(x, 1) } },
					{ ...shape, ...strides("x"), ...strides("y") },
				);
				check(
					kernels,
					"rotary_back",
					{ dy: x, cosine, sine },
					{ dx: { expected: turn(x, -1) } },
					{ ...shape, ...strides("dy"), ...strides("dx") },
				);
			}
		});

		describe("fused expressions", () => {
			const functions: [name: string, op: (x: Tensor) => Tensor, f: (x: number) => number][] = [
				["abs", abs, Math.abs],
				["affine", (x) => affine(x, 3, -1), (x) => 3 * x - 1],
				["cos", cos, Math.cos],
				["exp", exp, Math.exp],
				["relu", relu, (x) => Math.max(0, x)],
				["sigmoid", sigmoid, logistic],
				["silu", silu, (x) => x * logistic(x)],
				["sin", sin, Math.sin],
				["softcap", (x) => softcap(x, 2), (x) => 2 * Math.tanh(x / 2)],
				["square", square, (x) => x * x],
				["step", step, (x) => (x > 0 ? 1 : 0)],
				["tanh", tanh, Math.tanh],
				["sqrt", sqrt, Math.sqrt],
				["log", log, Math.log],
			];
			for (const [name, op, f] of functions) {
				test(`${name} at every length`, () => {
					for (const count of [1, 15, 16, 50, 515, 1030]) {
						const x = random(count, 1, 5).map((v) => (name === "log" || name === "sqrt" ? Math.abs(v) + 0.01 : v));
						const wide = input("x", [count]);
						const expected = Float64Array.from(x, f);
						checkFused(kernels, [op(wide)], new Map([[wide, x]]), [{ expected }]);
					}
				});
			}

			test("exp, log, tanh, sigmoid and silu keep a relative precision of 1e-6 over their whole range", () => {
				const precise: [op: (x: Tensor) => Tensor, f: (x: number) => number, from: number, to: number][] = [
					[exp, Math.exp, -86, 88.7],
					[tanh, Math.tanh, -20, 20],
					[tanh, Math.tanh, -1e-3, 1e-3],
					[sigmoid, logistic, -80, 80],
					[silu, (x) => x * logistic(x), -80, 80],
				];
				const count = 20011;
				const wide = input("x", [count]);
				const relative = (x: Float32Array, op: (x: Tensor) => Tensor, f: (x: number) => number) => {
					const [y] = runFused(kernels, [op(wide)], new Map([[wide, x]]), 1);
					for (let i = 0; i < count; i++) {
						const want = f(x[i]!);
						const error = Math.abs(y![i]! - want) / Math.max(Math.abs(want), 1e-37);
						assert.ok(error < 1e-6, `${f.name}(${x[i]}) is ${y![i]}, should be ${want}`);
					}
				};
				for (const [op, f, from, to] of precise)
					relative(
						Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / count),
						op,
						f,
					);
				relative(
					Float32Array.from({ length: count }, (_, i) => 10 ** (-44 + (82 * i) / count)),
					log,
					Math.log,
				);
			});

			test("the limits are right: zero, overflow, infinities, NaN", () => {
				const x = Float32Array.from([0, -100, 100, -Infinity, Infinity, Number.NaN]);
				const limits: [op: (x: Tensor) => Tensor, number[]][] = [
					[exp, [1, 0, Infinity, 0, Infinity, Number.NaN]],
					[log, [-Infinity, Number.NaN, Math.log(100), Number.NaN, Infinity, Number.NaN]],
					[tanh, [0, -1, 1, -1, 1, Number.NaN]],
					[sigmoid, [0.5, 0, 1, 0, 1, Number.NaN]],
				];
				const wide = input("x", [x.length]);
				for (const [op, expected] of limits) checkFused(kernels, [op(wide)], new Map([[wide, x]]), [{ expected }]);
			});

			test("add, sub, mul and div broadcast along any axes", () => {
				const operators: [op: (a: Tensor, b: Tensor) => Tensor, f: (a: number, b: number) => number][] = [
					[add, (a, b) => a + b],
					[sub, (a, b) => a - b],
					[mul, (a, b) => a * b],
					[div, (a, b) => a / b],
				];
				const whole = [2, 3, 5, 37];
				for (const shape of [whole, [37], [2, 3, 5, 1], [1, 3, 1, 37], [2, 1, 5, 1], []])
					for (const [op, f] of operators) {
						const [a, b] = [input("a", whole), input("b", shape)];
						const values = new Map([a, b].map((tensor, i) => [tensor, random(tensor.size, i + 1)]));
						const four = [...Array<number>(4 - shape.length).fill(1), ...shape];
						const strides = four.map((size, d) => (size === 1 ? 0 : four.slice(d + 1).reduce((x, y) => x * y, 1)));
						const expected = values.get(a)!.map((x, i) => {
							const at = [Math.floor(i / 555), Math.floor(i / 185) % 3, Math.floor(i / 37) % 5, i % 37];
							return f(x, values.get(b)![at.reduce((total, j, d) => total + j * strides[d]!, 0)]!);
						});
						checkFused(kernels, [op(a, b)], values, [{ expected }]);
					}
			});

			test("an expression has several results, and may write one over its operand", () => {
				const [rows, width] = [23, 67]; // several tiles, and a tail
				const [x, y] = [input("x", [rows, width]), input("y", [rows, width])];
				const [column, row, number] = [input("column", [rows, 1]), input("row", [width]), input("number", [])];
				const total = mul(add(mul(x, y), row), column);
				const gated = div(sub(silu(total), exp(y)), add(square(x), number));
				const values = new Map([x, y, column, row, number].map((tensor, i) => [tensor, random(tensor.size, i + 1)]));
				values.get(number)![0] = 2;
				const expected = { gated: new Float64Array(rows * width), total: new Float64Array(rows * width) };
				for (let i = 0; i < rows * width; i++) {
					const [a, b] = [values.get(x)![i]!, values.get(y)![i]!];
					const t = (a * b + values.get(row)![i % width]!) * values.get(column)![Math.floor(i / width)]!;
					expected.total[i] = t;
					expected.gated[i] = (t * logistic(t) - Math.exp(b)) / (a * a + 2);
				}
				const results = [{ expected: expected.gated }, { expected: expected.total, over: x }];
				checkFused(kernels, [gated, total], values, results);
			});
		});

		test("embedding gathers rows, and its gradient adds up the rows of a repeated id", () => {
			for (const width of [1, 16, 35]) {
				const vocab = 6;
				const ids = Int32Array.from([5, 0, 5, 2, 5]);
				const [table, dy] = [random(vocab * width, 1), random(ids.length * width, 2)];
				const y = {
					expected: Float32Array.from(dy, (_, i) => table[ids[Math.floor(i / width)]! * width + (i % width)]!),
				};
				const sizes = { rows: ids.length, width, vocab };
				check(kernels, "embedding", { table, ids }, { y }, sizes);
				const expected = new Float32Array(vocab * width);
				dy.forEach((g, i) => {
					expected[ids[Math.floor(i / width)]! * width + (i % width)]! += g;
				});
				check(kernels, "embedding_back", { dy, ids }, { dtable: { expected } }, sizes);
			}
		});

		test("an id out of range gathers NaN and is left out of the gradient", () => {
			const ids = Int32Array.from([1, -1, 2]);
			const table = random(2 * 3, 1);
			const y = { expected: Float32Array.from([...table.subarray(3), ...Array(6).fill(Number.NaN)]) };
			check(kernels, "embedding", { table, ids }, { y }, { rows: 3, width: 3, vocab: 2 });
			const dy = random(9, 2);
			const dtable = { expected: Float32Array.from([0, 0, 0, ...dy.subarray(0, 3)]) };
			check(kernels, "embedding_back", { dy, ids }, { dtable }, { rows: 3, width: 3, vocab: 2 });
		});

		test("copy permutes, transposes and slices", () => {
			const n = [3, 4, 21, 35];
			const contiguous = (shape: number[]) => shape.map((_, axis) => shape.slice(axis + 1).reduce((x, y) => x * y, 1));
			const orders = [
				[0, 1, 2, 3],
				[0, 2, 1, 3],
				[0, 1, 3, 2],
				[3, 0, 1, 2],
				[1, 2, 3, 0],
				[3, 2, 1, 0],
			];
			const x = random(3 * 4 * 21 * 35, 1);
			for (const order of orders) {
				const shape = order.map((axis) => n[axis]!);
				const steps = order.map((axis) => contiguous(n)[axis]!);
				const [, n1, n2, n3] = shape as [number, number, number, number];
				const expected = Float32Array.from(x, (_, i) => {
					const at = [Math.floor(i / (n1 * n2 * n3)), Math.floor(i / (n2 * n3)) % n1, Math.floor(i / n3) % n2, i % n3];
					return x[at.reduce((total, v, axis) => total + v * steps[axis]!, 0)]!;
				});
				const named = (letter: string, values: number[]) =>
					Object.fromEntries(values.map((v, i) => [`${letter}${i}`, v]));
				const rowGap = 2; // y is a slice of wider rows
				const outer = contiguous([shape[0]!, n1, n2, n3 + rowGap]);
				const sizes = { ...named("n", shape), ...named("x", steps), ...named("y", outer) };
				check(kernels, "copy", { x }, { y: { expected: spread(expected, n3, n3 + rowGap) } }, sizes);
			}
		});

		test("sum adds along the middle axis, whatever lies around it", () => {
			for (const [outer, middle, inner] of [
				[1, 1, 1],
				[5, 67, 1],
				[1, 9, 100],
				[3, 4, 17],
				[2, 300, 64],
				[4, 0, 3],
			] as const) {
				const x = random(outer * middle * inner, 1);
				const expected = new Float64Array(outer * inner);
				x.forEach((value, i) => {
					expected[Math.floor(i / (middle * inner)) * inner + (i % inner)]! += 0.5 * value;
				});
				check(kernels, "sum", { x }, { y: { expected } }, { outer, middle, inner, scale: 0.5 });
			}
		});

		test("the peak is a positive number of GFLOPS a thread", () => {
			const [inputs, gflops] = [guarded(Float32Array.from([0.999, 0.1])), guarded(new Float32Array(2))];
			kernels.run("peak", { inputs: inputs.address, gflops: gflops.address, steps: 10_000 }, 2);
			assert.ok(gflops.array.every((rate) => rate > 0));
		});
	});
}

test("every instruction set is covered", { skip: built.size === 0 && missing[0] }, () => assert.deepEqual(missing, []));

function logistic(x: number): number {
	return 1 / (1 + Math.exp(-x));
}

type Results = (Output & { /** The operand whose place the result takes. */ over?: Tensor })[];

/** Computes fused expressions on guarded arrays; returns its results. */
function runFused(
	kernels: Kernels,
	roots: Tensor[],
	values: Map<Tensor, Float32Array>,
	nth: number,
	results: Results = [],
) {
	const expression = new FusedExpression(roots, (tensor) => tensor.inputs.length > 0);
	const arrays = new Map(expression.inputs.map((tensor) => [tensor, guarded(values.get(tensor)!)]));
	const fresh = roots.map((root) => guarded(new Float32Array(root.size)));
	const outputs = fresh.map((array, i) => arrays.get(results[i]?.over as Tensor) ?? array);
	const encoded = expression.encode(
		expression.inputs.map((tensor) => arrays.get(tensor)!.address),
		outputs.map(({ address }) => address),
	);
	kernels.run("fused", { expression: koffi.address(encoded), count: roots[0]!.size }, nth);
	const copies = outputs.map(({ array }) => array.slice());
	for (const array of [...arrays.values(), ...fresh]) {
		array.assertIntact();
		array.free();
	}
	return copies;
}

function checkFused(kernels: Kernels, roots: Tensor[], values: Map<Tensor, Float32Array>, results: Results): void {
	for (const nth of [1, 2, 3])
		runFused(kernels, roots, values, nth, results).forEach((actual, i) => {
			assertClose(actual, results[i]!, `result ${i}, ${nth} threads`);
		});
}

function checkAttention(kernels: Kernels, shape: reference.AttentionShape): void {
	const { batch, length, heads, kvHeads, dim, causal, window, scale } = shape;
	const [q, dy] = [random(batch * length * heads * dim, 1, 2), random(batch * length * heads * dim, 2)];
	const [k, v] = [random(batch * length * kvHeads * dim, 3, 2), random(batch * length * kvHeads * dim, 4)];
	const { y, lse } = reference.attention(q, k, v, shape);
	// Rows of one token lie a little apart, as when q, k and v are slices of one projection.
	const gap = 3;
	const strides = (name: string, count: number) => ({
		[`${name}_batch`]: length * (count * dim + gap),
		[`${name}_time`]: count * dim + gap,
		[`${name}_head`]: dim,
	});
	const token = (x: ArrayLike<number>, count: number) => spread(x, count * dim, count * dim + gap);
	const inputs = { q: token(q, heads), k: token(k, kvHeads), v: token(v, kvHeads) };
	const sizes = {
		...{ batch, length, heads, kv_heads: kvHeads, head_dim: dim, causal: causal ? 1 : 0, window, scale },
		...{ ...strides("q", heads), ...strides("k", kvHeads), ...strides("v", kvHeads) },
	};
	check(
		kernels,
		"attention",
		inputs,
		{ y: { expected: token(y, heads), tolerance: 1e-5 }, lse: { expected: lse } },
		{
			...{ ...sizes, ...strides("y", heads) },
		},
	);
	const { dq, dk, dv } = reference.attentionBack(q, k, v, dy, shape);
	const tolerance = 2e-5;
	check(
		kernels,
		"attention_back",
		{ ...inputs, lse: Float32Array.from(lse), dy: token(dy, heads) },
		{
			dq: { expected: token(dq, heads), tolerance },
			dk: { expected: token(dk, kvHeads), tolerance },
			dv: { expected: token(dv, kvHeads), tolerance },
		},
		{
			...sizes,
			...strides("dy", heads),
			...strides("dq", heads),
			...strides("dk", kvHeads),
			...strides("dv", kvHeads),
		},
	);
}

test("the reference's attention gradients are those of its attention", () => {
	const shape = { batch: 1, length: 7, heads: 2, kvHeads: 1, dim: 3, causal: true, window: 4, scale: 0.7 };
	const [q, k, v, dy] = [random(42, 1), random(21, 2), random(21, 3), random(42, 4)];
	const { dq, dk, dv } = reference.attentionBack(q, k, v, dy, shape);
	const same = (actual: Float64Array, expected: Float64Array) =>
		assertClose(Float32Array.from(actual), { expected }, "reference");
	same(
		dq,
		reference.gradient(q, dy, (x) => reference.attention(x, k, v, shape).y),
	);
	same(
		dk,
		reference.gradient(k, dy, (x) => reference.attention(q, x, v, shape).y),
	);
	same(
		dv,
		reference.gradient(v, dy, (x) => reference.attention(q, k, x, shape).y),
	);
});
