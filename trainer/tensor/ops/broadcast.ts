/** Broadcasting, and the sums that are its gradient. */
import { onSum } from "../dependence/rules.ts";
import { fail, show } from "../errors.ts";
import { type Shape, sizeOf, type Tensor } from "../tensor.ts";
import { checkShape, define, requireF32, sameShape } from "./define.ts";
import { full, uniformValue } from "./leaf.ts";
import { reshape } from "./shape.ts";

/** The shape two operands share: dimensions match from the end, and a 1 stretches. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
	const rank = Math.max(a.length, b.length);
	return Array.from({ length: rank }, (_, i) => {
		const m = a[i - rank + a.length] ?? 1;
		const n = b[i - rank + b.length] ?? 1;
		if (m !== n && m !== 1 && n !== 1) fail(op, `${show(a)} and ${show(b)} do not broadcast`);
		return m === 1 ? n : m;
	});
}

/** Sums to a shape of the same rank in which some lengths have become 1. */
export const sumToOp = define("sum_to", {
	arity: 1,
	attrs: { shape: "integers" },
	infer: ([x], { shape }) => {
		requireF32("sum", x!);
		const fits = shape.length === x!.shape.length && shape.every((n, i) => n === 1 || n === x!.shape[i]);
		if (!fits) fail("sum", `${show(x!.shape)} cannot be summed to ${show(shape)}`);
		return { shape };
	},
	dependence: ([x], { shape }, { inputs }) => onSum(x!, inputs[0]!.shape, shape),
	vjp: (y, g) => [broadcastTo(g, y.inputs[0]!.shape)],
});

export const broadcastToOp = define("broadcast_to", {
	arity: 1,
	attrs: { shape: "integers" },
	infer: ([x], { shape }) => {
		requireF32("broadcastTo", x!);
		const fits = shape.length === x!.shape.length && x!.shape.every((n, i) => n === 1 || n === shape[i]);
		if (!fits) fail("broadcastTo", `${show(x!.shape)} does not stretch to ${show(shape)}`);
		return { shape };
	},
	// What is known of each dimension of length 1 holds for all of its copies.
	dependence: ([x]) => x!,
	vjp: (y, g) => [sumTo(g, y.inputs[0]!.shape)],
});

/**
 * Stretches `x` to `shape` by PyTorch's broadcasting rules: [1, D] or [D] to [N, D].
 * @throws TensorError when `x` does not stretch to it.
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
	requireF32("broadcastTo", x);
	checkShape("broadcastTo", shape);
	if (sameShape(x.shape, shape)) return x;
	if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape)) {
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
