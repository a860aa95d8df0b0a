/** Sums, means and variances over dimensions. */
import type { Tensor } from "../tensor.ts";
import { sumTo } from "./broadcast.ts";
import { axis, requireF32, requireOptions } from "./define.ts";
import { affine, square, sub } from "./elementwise.ts";
import { reshape } from "./shape.ts";

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

/**
 * Sum over `dim` (a dimension, several, or all when left out): [N, D] over 1 gives [N], or [N, 1] with `keepdim`.
 * @throws TensorError when there is no such dimension or `x` holds token ids.
 */
export function sum(x: Tensor, dim?: number | readonly number[], options: { keepdim?: boolean } = {}): Tensor {
	return total("sum", x, dim, options);
}

/**
 * Mean over `dim`; shapes as for `sum`.
 * @throws TensorError when there is no such dimension or `x` holds token ids.
 */
export function mean(x: Tensor, dim?: number | readonly number[], options: { keepdim?: boolean } = {}): Tensor {
	return average("mean", x, dim, options);
}

/**
 * Variance over `dim`, dividing by the number of elements; shapes as for `sum`.
 * @throws TensorError when there is no such dimension or `x` holds token ids.
 */
export function variance(x: Tensor, dim?: number | readonly number[], options: { keepdim?: boolean } = {}): Tensor {
	const deviation = sub(x, average("variance", x, dim, { keepdim: true }));
	return average("variance", square(deviation), dim, options);
}
