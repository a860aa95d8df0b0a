/** Operations that move elements and compute nothing. They also work on token ids. */
import { between, NOTHING } from "../dependence/domain.ts";
import * as grids from "../dependence/grid.ts";
import { joined, moved } from "../dependence/rules.ts";
import { fail, show } from "../errors.ts";
import { type Shape, sizeOf, type Tensor } from "../tensor.ts";
import { axis, checkShape, define, describe, requireTensor, sameShape } from "./define.ts";
import { full, uniformValue } from "./leaf.ts";

function requireList(op: string, value: unknown): void {
	if (!Array.isArray(value)) fail(op, `a list is wanted, not ${describe(value)}`);
}

export const reshapeOp = define("reshape", {
	arity: 1,
	attrs: { shape: "integers" },
	infer: ([x], { shape }) => {
		if (sizeOf(shape) !== x!.size) fail("reshape", `${show(x!.shape)} does not fit into ${show(shape)}`);
		return { shape, dtype: x!.dtype };
	},
	dependence: ([x], { shape }, { inputs }) => moved(x!, (grid) => grids.reshape(grid, inputs[0]!.shape, shape)),
	vjp: (y, g) => [reshape(g, y.inputs[0]!.shape)],
});

/**
 * The same elements, row-major, in another shape; one length may be -1.
 * @throws TensorError when the shapes differ in size.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
	requireTensor("reshape", x);
	requireList("reshape", shape);
	const known = -sizeOf(shape);
	const target = shape.includes(-1) ? shape.map((n) => (n === -1 ? x.size / known : n)) : [...shape];
	if (target.some((n) => !Number.isInteger(n))) fail("reshape", `${show(x.shape)} does not fit into ${show(shape)}`);
	if (sameShape(x.shape, target)) return x;
	checkShape("reshape", target);
	const value = uniformValue(x);
	if (value !== undefined && sizeOf(target) === x.size) return full(target, value);
	if (x.op === "reshape") return reshape(x.inputs[0]!, target);
	return reshapeOp([x], { shape: target });
}

export const permuteOp = define("permute", {
	arity: 1,
	attrs: { dims: "integers" },
	infer: ([x], { dims }) => {
		const isOrder = dims.length === x!.shape.length && x!.shape.every((_, i) => dims.includes(i));
		if (!isOrder) fail("permute", `${show(dims)} does not order the dimensions of ${show(x!.shape)}`);
		return { shape: dims.map((d) => x!.shape[d]!), dtype: x!.dtype };
	},
	dependence: ([x], { dims }) => moved(x!, (grid) => grids.permute(grid, dims)),
	vjp: (_, g, { dims }) => [
		permute(
			g,
			dims.map((_, i) => dims.indexOf(i)),
		),
	],
});

/**
 * Reorders dimensions: the result's dimension i is `x`'s dimension `dims[i]`.
 * @throws TensorError when `dims` does not name each dimension once.
 */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
	requireTensor("permute", x);
	requireList("permute", dims);
	const order = dims.map((d) => axis("permute", d, x.shape));
	return order.every((d, i) => d === i) && order.length === x.shape.length ? x : permuteOp([x], { dims: order });
}

/**
 * Swaps two dimensions: [N, D] gives [D, N]; negative ones count from the end.
 * @throws TensorError when there is no such dimension.
 */
export function transpose(x: Tensor, a: number, b: number): Tensor {
	requireTensor("transpose", x);
	const [i, j] = [axis("transpose", a, x.shape), axis("transpose", b, x.shape)];
	return permute(
		x,
		x.shape.map((_, d) => (d === i ? j : d === j ? i : d)),
	);
}

export const sliceOp = define("slice", {
	arity: 1,
	attrs: { dim: "integer", start: "integer", end: "integer" },
	infer: ([x], { dim, start, end }) => {
		const length = x!.shape[axis("slice", dim, x!.shape)]!;
		if (dim < 0 || start < 0 || end > length || start >= end) {
			fail("slice", `${start} to ${end} is not a part of dimension ${dim} of ${show(x!.shape)}`);
		}
		return { shape: x!.shape.with(dim, end - start), dtype: x!.dtype };
	},
	dependence: ([x], { dim, start, end }) => moved(x!, (grid) => grids.slice(grid, dim, start, end)),
	vjp: (y, g, { dim, start, end }) => [pad(g, dim, start, y.inputs[0]!.shape[dim]! - end)],
});

/**
 * Elements `start` to `end` (exclusive) along `dim`, as x[start:end] in PyTorch: [N, D] from 1 to 3 along 0 gives
 * [2, D]. Negative counts from the end.
 * @throws TensorError when that is no part of the dimension, or empty.
 */
export function slice(x: Tensor, dim: number, start: number, end?: number): Tensor {
	requireTensor("slice", x);
	const along = axis("slice", dim, x.shape);
	const length = x.shape[along]!;
	const from = start < 0 ? start + length : start;
	const to = end === undefined ? length : end < 0 ? end + length : end;
	return from === 0 && to === length ? x : sliceOp([x], { dim: along, start: from, end: to });
}

export const padOp = define("pad", {
	arity: 1,
	attrs: { dim: "integer", before: "integer", after: "integer" },
	infer: ([x], { dim, before, after }) => {
		const length = x!.shape[axis("pad", dim, x!.shape)]!;
		if (dim < 0 || before < 0 || after < 0) fail("pad", `cannot add ${before} before and ${after} after`);
		return { shape: x!.shape.with(dim, length + before + after), dtype: x!.dtype };
	},
	dependence: ([x], { dim, before, after }, { inputs }) => {
		const zero = between(grids.uniform(x!.reach.dims.length, NOTHING), [0, 0]);
		return joined([zero, x!, zero], dim, [before, inputs[0]!.shape[dim]!, after]);
	},
	vjp: (y, g, { dim, before }) => [slice(g, dim, before, before + y.inputs[0]!.shape[dim]!)],
});

/**
 * Adds `before` and `after` zeros along `dim`: [N, D] along 0 gives [before + N + after, D].
 * @throws TensorError when there is no such dimension or a count is negative.
 */
export function pad(x: Tensor, dim: number, before: number, after: number): Tensor {
	requireTensor("pad", x);
	const along = axis("pad", dim, x.shape);
	return before === 0 && after === 0 ? x : padOp([x], { dim: along, before, after });
}

export const concatOp = define("concat", {
	arity: undefined,
	attrs: { dim: "integer" },
	infer: (inputs, { dim }) => {
		const [first] = inputs as [Tensor];
		axis("concat", dim, first.shape);
		for (const x of inputs) {
			const fits = x.shape.length === first.shape.length && x.dtype === first.dtype;
			if (!fits || !x.shape.every((n, i) => i === dim || n === first.shape[i])) {
				fail("concat", `${show(first.shape)} and ${show(x.shape)} differ elsewhere than in dimension ${dim}`);
			}
		}
		const length = inputs.reduce((total, x) => total + x.shape[dim]!, 0);
		return { shape: first.shape.with(dim, length), dtype: first.dtype };
	},
	dependence: (parts, { dim }, { inputs }) =>
		joined(
			parts,
			dim,
			inputs.map(({ shape }) => shape[dim]!),
		),
	vjp: (y, g, { dim }) => {
		let start = 0;
		return y.inputs.map((x) => {
			const part = slice(g, dim, start, start + x.shape[dim]!);
			start += x.shape[dim]!;
			return part;
		});
	},
});

/**
 * Joins tensors along `dim`: [N, D] and [M, D] along 0 give [N + M, D].
 * @throws TensorError when they differ in another dimension.
 */
export function concat(tensors: readonly Tensor[], dim: number): Tensor {
	requireList("concat", tensors);
	requireTensor("concat", ...tensors);
	const [first] = tensors;
	if (!first) fail("concat", "nothing to join");
	return tensors.length === 1 ? first : concatOp(tensors, { dim: axis("concat", dim, first.shape) });
}

/**
 * Moves x [B, T, ...] along time, dimension `dim`: position t of the result is position t - `steps` of `x`, and zero
 * before the start (RWKV's token shift, Peng et al. 2023). A sum of shifts with weights is a causal convolution.
 * @throws TensorError when `steps` is negative or not below the length.
 */
export function shift(x: Tensor, steps: number, dim = 1): Tensor {
	requireTensor("shift", x);
	const along = axis("shift", dim, x.shape);
	const length = x.shape[along]!;
	if (!Number.isInteger(steps) || steps < 0 || steps >= length) {
		fail("shift", `${steps} steps do not fit into dimension ${dim} of ${show(x.shape)}`);
	}
	return pad(slice(x, along, 0, length - steps), along, steps, 0);
}
