/** Sums, means and their opposite, stretching. */
import { fail, show } from "../errors.ts";
import type { Shape, Tensor } from "../tensor.ts";
import { sizeOf } from "../tensor.ts";
import { axis, checkShape, define, requireF32, requireOptions, sameShape } from "./define.ts";
import { affine, broadcast, square, sub } from "./elementwise.ts";
import { full, uniformValue } from "./leaf.ts";
import { reshape } from "./shape.ts";

/** Sums to a shape of the same rank in which some lengths have become 1. */
const sumToOp = define<{ shape: Shape }>("sum_to", {
	arity: 1,
	attrs: { shape: "integers" },
	infer: ([x], { shape }) => {
		requireF32("sum", x!);
		const fits = shape.length === x!.shape.length && shape.every((n, i) => n === 1 || n === x!.shape[i]);
		if (!fits) fail("sum", `${show(x!.shape)} cannot be summed to ${show(shape)}`);
		return { shape };
	},
	vjp: (y, g) => [broadcastTo(g, y.inputs[0]!.shape)],
});

const broadcastToOp = define<{ shape: Shape }>("broadcast_to", {
	arity: 1,
	attrs: { shape: "integers" },
	infer: ([x], { shape }) => {
		requireF32("broadcastTo", x!);
		const fits = shape.length === x!.shape.length && x!.shape.every((n, i) => n === 1 || n === shape[i]);
		if (!fits) fail("broadcastTo", `${show(x!.shape)} does not stretch to ${show(shape)}`);
		return { shape };
	},
	vjp: (y, g) => [sumTo(g, y.inputs[0]!.shape)],
});

/** Stretches `x` to `shape` by PyTorch's broadcasting rules. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
	requireF32("broadcastTo", x);
	checkShape("broadcastTo", shape);
	if (sameShape(x.shape, shape)) return x;
	if (!sameShape(broadcast("broadcastTo", x.shape, shape), shape)) {
		fail("broadcastTo", `${show(x.shape)} does not stretch to ${show(shape)}`);
	}
	const value = uniformValue(x);
	if (value !== undefined) return full(shape, value);
	return broadcastToOp([reshape(x, padRank(x.shape, shape.length))], { shape: [...shape] });
}

/** The transpose of broadcasting: sums `x` over every dimension along which `shape` would be stretched to it. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
	if (sameShape(x.shape, shape)) return x;
	const target = padRank(shape, x.shape.length);
	const value = uniformValue(x);
	if (value !== undefined) return full(shape, (value * x.size) / sizeOf(shape));
	const summed = sameShape(x.shape, target) ? x : sumToOp([x], { shape: target });
	return reshape(summed, shape);
}

function padRank(shape: Shape, rank: number): Shape {
	return [...Array<number>(rank - shape.length).fill(1), ...shape];
}

type Dimensions = number | readonly number[] | undefined;

function total(op: string, x: Tensor, dim: Dimensions, options: { keepdim?: boolean }): Tensor {
	requireF32(op, x);
	requireOptions(op, options, "keepdim");
	const all = dim === undefined ? x.shape.map((_, i) => i) : [dim].flat();
	const over = new Set(all.map((d) => axis(op, d, x.shape)));
	const kept = x.shape.map((n, i) => (over.has(i) ? 1 : n));
	const summed = sumTo(x, kept);
	return options.keepdim
		? summed
		: reshape(
				summed,
				x.shape.filter((_, i) => !over.has(i)),
			);
}

function average(op: string, x: Tensor, dim: Dimensions, options: { keepdim?: boolean }): Tensor {
	const summed = total(op, x, dim, options);
	return affine(summed, summed.size / x.size, 0);
}

/** Sum over `dim` (a dimension, several, or all when left out). */
export function sum(x: Tensor, dim?: number | readonly number[], options: { keepdim?: boolean } = {}): Tensor {
	return total("sum", x, dim, options);
}

/** Mean over `dim` (a dimension, several, or all when left out). */
export function mean(x: Tensor, dim?: number | readonly number[], options: { keepdim?: boolean } = {}): Tensor {
	return average("mean", x, dim, options);
}

/** Variance over `dim`, dividing by the number of elements. */
export function variance(x: Tensor, dim?: number | readonly number[], options: { keepdim?: boolean } = {}): Tensor {
	const deviation = sub(x, average("variance", x, dim, { keepdim: true }));
	return average("variance", square(deviation), dim, options);
}
