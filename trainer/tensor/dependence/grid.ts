/**
 * Numbers about the elements of a tensor, kept only where they differ: along each dimension a grid is either as long as
 * the tensor, or 1 where the number is the same for every index. What is said of [16, 256, 128] activations takes 4,096
 * numbers when it does not depend on the channel.
 */
import { type Shape, sizeOf } from "../tensor.ts";

export interface Grid {
	/** For each dimension of the tensor, its length or 1. */
	readonly dims: Shape;
	/** Row-major. */
	readonly values: Float64Array;
}

/** There is more to compute than is worth it. */
export class TooMuch extends Error {}

/** Numbers in the largest grid. */
const MAX_SIZE = 2 ** 24;

/** How many numbers may still be computed. */
let left = Number.POSITIVE_INFINITY;

/**
 * What `compute` returns, if it takes no more than so many numbers.
 * @throws TooMuch otherwise.
 */
export function withBudget<Result>(numbers: number, compute: () => Result): Result {
	left = numbers;
	try {
		return compute();
	} finally {
		left = Number.POSITIVE_INFINITY;
	}
}

/** Counts numbers that are about to be computed. */
export function spend(numbers: number): void {
	left -= numbers;
	if (left < 0) throw new TooMuch();
}

export function grid(dims: Shape, value: (i: number) => number): Grid {
	const values = room(dims);
	for (let i = 0; i < values.length; i++) values[i] = value(i);
	return { dims, values };
}

/** The same number for every element of a tensor of `rank` dimensions. */
export function uniform(rank: number, value: number): Grid {
	return { dims: Array<number>(rank).fill(1), values: Float64Array.of(value) };
}

export function map(x: Grid, fn: (value: number) => number): Grid {
	spend(x.values.length);
	return { dims: x.dims, values: x.values.map(fn) };
}

/** Combines grids of one tensor, or of tensors that broadcast, element by element. */
export function zip(a: Grid, b: Grid, fn: (a: number, b: number) => number): Grid {
	const rank = Math.max(a.dims.length, b.dims.length);
	const [x, y] = [toRank(a, rank), toRank(b, rank)];
	spend(Math.max(x.values.length, y.values.length));
	if (x.values.length === 1) return { dims: y.dims, values: y.values.map((value) => fn(x.values[0]!, value)) };
	if (y.values.length === 1) return { dims: x.dims, values: x.values.map((value) => fn(value, y.values[0]!)) };
	const dims = x.dims.map((n, d) => Math.max(n, y.dims[d]!));
	const [full, other] = [expand(x, dims), expand(y, dims)];
	return { dims, values: full.values.map((value, i) => fn(value, other.values[i]!)) };
}

/** With dimensions of length 1 in front, as broadcasting adds them. */
export function toRank({ dims, values }: Grid, rank: number): Grid {
	return dims.length === rank ? { dims, values } : { dims: [...ones(rank - dims.length), ...dims], values };
}

/** Repeated along the dimensions that are 1 here and longer in `dims`. */
export function expand(x: Grid, dims: Shape): Grid {
	if (dims.every((n, d) => n === x.dims[d])) return x;
	const steps = strides(x.dims).map((step, d) => (x.dims[d] === 1 ? 0 : step));
	return { dims, values: gather(x.values, dims, steps, 0) };
}

/** The grid of a tensor of shape `to`, from that of the same elements in shape `from`. */
export function reshape(x: Grid, from: Shape, to: Shape): Grid {
	let current = x;
	const dims: number[] = [];
	const wide: number[] = [];
	let [i, j] = [0, 0];
	// Neighbouring dimensions that become neighbouring dimensions of the same size belong together.
	while (i < from.length || j < to.length) {
		const [first, start] = [i, j];
		let [m, n] = [from[i++] ?? 1, to[j++] ?? 1];
		while (m !== n) {
			if (m < n) m *= from[i++]!;
			else n *= to[j++]!;
		}
		const length = Math.max(0, Math.min(i, from.length) - first);
		const isSame = x.dims.slice(first, first + length).every((d) => d === 1);
		const before = current.dims.slice(0, dims.length);
		if (isSame) {
			const count = Math.min(j, to.length) - start;
			current = {
				dims: [...before, ...ones(count), ...current.dims.slice(before.length + length)],
				values: current.values,
			};
			dims.push(...ones(count));
			continue;
		}
		const rest = current.dims.slice(before.length + length);
		const whole = expand(current, [...before, ...from.slice(first, first + length), ...rest]);
		const lengths = to.slice(start, j);
		current = { dims: [...before, ...lengths, ...rest], values: whole.values };
		for (const d of lengths.keys()) wide.push(dims.length + d);
		dims.push(...lengths);
	}
	return wide.reduce(squeeze, current);
}

export function permute(x: Grid, order: readonly number[]): Grid {
	const dims = order.map((d) => x.dims[d]!);
	const steps = strides(x.dims);
	return {
		dims,
		values: gather(
			x.values,
			dims,
			order.map((d) => steps[d]!),
			0,
		),
	};
}

export function slice(x: Grid, dim: number, start: number, end: number): Grid {
	if (x.dims[dim] === 1) return x;
	const dims = x.dims.with(dim, end - start);
	const steps = strides(x.dims);
	return squeeze({ dims, values: gather(x.values, dims, steps, start * steps[dim]!) }, dim);
}

/** Joins grids of tensors that are `lengths[i]` long along `dim`. */
export function concat(grids: readonly Grid[], dim: number, lengths: readonly number[]): Grid {
	const common = grids[0]!.dims.map((_, d) => Math.max(...grids.map(({ dims }) => dims[d]!)));
	const dims = common.with(
		dim,
		lengths.reduce((total, n) => total + n, 0),
	);
	const values = room(dims);
	const inner = sizeOf(dims.slice(dim + 1));
	const outer = sizeOf(dims.slice(0, dim));
	let offset = 0;
	for (const [i, x] of grids.entries()) {
		const part = expand(x, common.with(dim, lengths[i]!)).values;
		const width = lengths[i]! * inner;
		for (let o = 0; o < outer; o++)
			values.set(part.subarray(o * width, (o + 1) * width), o * dims[dim]! * inner + offset);
		offset += width;
	}
	return squeeze({ dims, values }, dim);
}

/** Folds a dimension into one number; where it has only one, that is the result. */
export function reduce(x: Grid, dim: number, fn: (a: number, b: number) => number): Grid {
	const length = x.dims[dim]!;
	if (length === 1) return x;
	const dims = x.dims.with(dim, 1);
	const inner = sizeOf(x.dims.slice(dim + 1));
	const values = room(dims);
	spend(x.values.length);
	for (let i = 0; i < values.length; i++) {
		const at = Math.floor(i / inner) * length * inner + (i % inner);
		let total = x.values[at]!;
		for (let n = 1; n < length; n++) total = fn(total, x.values[at + n * inner]!);
		values[i] = total;
	}
	return { dims, values };
}

/** Each number joined with those before it along a dimension. */
export function scan(x: Grid, dim: number, fn: (a: number, b: number) => number): Grid {
	const length = x.dims[dim]!;
	const inner = sizeOf(x.dims.slice(dim + 1));
	const values = x.values.slice();
	for (let i = inner; i < values.length; i++) {
		if (Math.floor(i / inner) % length > 0) values[i] = fn(values[i - inner]!, values[i]!);
	}
	return { dims: x.dims, values };
}

/** One number for a dimension along which nothing changes. */
export function squeeze(x: Grid, dim: number): Grid {
	const length = x.dims[dim]!;
	if (length === 1) return x;
	const inner = sizeOf(x.dims.slice(dim + 1));
	const run = length * inner;
	for (let i = 0; i < x.values.length; i++) {
		const first = x.values[i - (i % run) + (i % inner)]!;
		if (x.values[i] !== first) return x;
	}
	const dims = x.dims.with(dim, 1);
	return { dims, values: gather(x.values, dims, strides(x.dims), 0) };
}

export function strides(dims: Shape): number[] {
	return dims.map((_, d) => sizeOf(dims.slice(d + 1)));
}

function gather(from: Float64Array, dims: Shape, steps: readonly number[], offset: number): Float64Array {
	const values = room(dims);
	const at = Array<number>(dims.length).fill(0);
	let source = offset;
	for (let i = 0; i < values.length; i++) {
		values[i] = from[source]!;
		for (let d = dims.length - 1; d >= 0; d--) {
			source += steps[d]!;
			if (++at[d]! < dims[d]!) break;
			source -= steps[d]! * dims[d]!;
			at[d] = 0;
		}
	}
	return values;
}

function room(dims: Shape): Float64Array {
	const size = sizeOf(dims);
	if (size > MAX_SIZE) throw new TooMuch();
	spend(size);
	return new Float64Array(size);
}

function ones(count: number): number[] {
	return Array<number>(count).fill(1);
}
