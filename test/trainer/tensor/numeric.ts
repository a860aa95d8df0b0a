/** Finite differences and comparisons for tests of the tensor library. */
import assert from "node:assert/strict";
import { compile, grad, input, seeded, type Tensor } from "../../../trainer/tensor/index.ts";
import type { Lowering } from "../../../trainer/tensor/lower/lowering.ts";

export type Inputs = Record<
	string,
	{ shape: number[]; values?: Float32Array | Int32Array; from?: number; to?: number }
>;

/** Values in [from, to), the same for the same seed. */
export function random(size: number, seed: number, from = -1, to = 1): Float32Array {
	const draw = seeded(seed);
	return Float32Array.from({ length: size }, () => from + (to - from) * draw());
}

export function ids(size: number, bound: number, seed = 1): Int32Array {
	const draw = seeded(seed);
	return Int32Array.from({ length: size }, () => Math.floor(draw() * bound));
}

/** What one evaluation of `expression` gives. */
export function evaluate(
	tensor: Tensor,
	feeds: Record<string, Float32Array | Int32Array | number> = {},
	lowering?: Lowering,
): Float32Array {
	const program = compile({ tensor }, [], lowering);
	try {
		return program.run(feeds).tensor.data;
	} finally {
		program.close();
	}
}

/**
 * Checks the gradients of `build`, weighted to a scalar by random numbers, against central differences along random
 * directions. In float32 a difference is good to about 1e-3 of its size.
 */
export function checkGradients(
	build: (inputs: Record<string, Tensor>) => Tensor,
	inputs: Inputs,
	{ step = 1e-2, tolerance = 5e-3, lowering }: { step?: number; tolerance?: number; lowering?: Lowering } = {},
): void {
	const entries = Object.entries(inputs);
	const tensors = Object.fromEntries(
		entries.map(([name, { shape, values }]) => [
			name,
			input(name, shape, values instanceof Int32Array ? "i32" : "f32"),
		]),
	);
	const feeds = Object.fromEntries(
		entries.map(([name, { values, from, to }], i) => [name, values ?? random(tensors[name]!.size, i + 1, from, to)]),
	);
	const y = build(tensors);
	const weights = input("weights", y.shape);
	const loss = y.mul(weights).sum();
	const smooth = entries.filter(([name]) => feeds[name] instanceof Float32Array).map(([name]) => name);
	const gradients = grad(
		loss,
		smooth.map((name) => tensors[name]!),
	);
	const outputs = { loss, ...Object.fromEntries(smooth.map((name, i) => [`d_${name}`, gradients[i]!])) };
	const program = compile(outputs as Record<string, Tensor>, [], lowering);
	try {
		const all = { ...feeds, weights: random(y.size, 99) };
		const exact = program.run(all);
		for (const name of smooth) {
			const at = feeds[name] as Float32Array;
			const direction = random(at.length, 7);
			const along = (sign: number) =>
				program.run({ ...all, [name]: at.map((v, i) => v + sign * step * direction[i]!) }).loss!.item();
			const numeric = (along(1) - along(-1)) / (2 * step);
			const gradient = exact[`d_${name}`]!.data;
			const analytic = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0);
			const scale = Math.max(1, Math.hypot(...gradient) * 0.5, Math.abs(numeric));
			const error = Math.abs(numeric - analytic) / scale;
			assert.ok(error < tolerance, `d/d${name}: ${analytic} where differences give ${numeric}`);
		}
	} finally {
		program.close();
	}
}

/** Asserts that two arrays agree within `tolerance` of the largest magnitude. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
	assert.equal(actual.length, expected.length);
	let worst = 0;
	let scale = 1e-6;
	for (let i = 0; i < expected.length; i++) {
		assert.ok(Number.isFinite(actual[i]), `element ${i} is ${actual[i]}`);
		worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
		scale = Math.max(scale, Math.abs(expected[i]!));
	}
	assert.ok(worst <= tolerance * scale, `differs by ${worst} (largest magnitude ${scale})`);
}
