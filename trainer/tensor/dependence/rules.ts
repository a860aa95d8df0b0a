/**
 * The rules by which operations hand dependence on, for ops/ to choose from. Each gives bounds from outside: what an
 * element of the result can depend on, and between which numbers it lies, for whatever its inputs may be.
 */
import type { Shape, Tensor } from "../tensor.ts";
import {
	ANYTHING,
	between,
	type Dependence,
	dependence,
	doubt,
	doubtful,
	everywhere,
	exactly,
	type Interval,
	isBounded,
	isFixed,
	isNonNegative,
	join,
	magnitude,
	mapRange,
	NOTHING,
	rounded,
	zerosOf,
} from "./domain.ts";
import type { Grid } from "./grid.ts";
import * as grids from "./grid.ts";

/** The dependence of a node on the tokens, from that of its inputs. */
export type DependenceRule<Attributes> = (inputs: readonly Dependence[], attrs: Attributes, node: Tensor) => Dependence;

/** Every element may depend on all of every input: right for any operation, and all that is said of gradients. */
export const onEverything: DependenceRule<unknown> = (inputs, _, node) => {
	const all = inputs.map(({ reach }) => reach.values.reduce(join, NOTHING)).reduce(join, NOTHING);
	return between(doubtful(grids.uniform(node.shape.length, all)), ANYTHING);
};

/** Whether a value may be NaN or an infinity, of which nothing is concluded; a mask's one infinity is known. */
const isOpen = (lo: number, hi: number) => lo !== hi && !(Number.isFinite(lo) && Number.isFinite(hi));

/** An operation on each element; `range` gives what x between two numbers becomes. */
export function onElement<Attributes>(
	range: (lo: number, hi: number, attrs: Attributes) => Interval,
	mayCancel: (attrs: Attributes) => boolean = () => false,
): DependenceRule<Attributes> {
	return ([x], attrs) => {
		const { lo, hi } = mapRange(x!, (lo, hi) => (isOpen(lo, hi) ? ANYTHING : range(lo, hi, attrs)));
		return dependence(mayCancel(attrs) ? doubtful(x!.reach) : x!.reach, lo, hi);
	};
}

/** An operation on two elements that broadcast. */
export function onPair(
	range: (a: Interval, b: Interval) => Interval,
	joined: (a: number, b: number) => number = join,
): DependenceRule<unknown> {
	return ([a, b], _, { inputs }) => {
		const [x, y] = [doubtMasked(a!, b!, inputs[1]!), doubtMasked(b!, a!, inputs[0]!)];
		const { dims } = grids.zip(a!.lo, b!.lo, () => 0);
		const [al, ah, bl, bh] = [a!.lo, a!.hi, b!.lo, b!.hi].map(
			(bound) => grids.expand(grids.toRank(bound, dims.length), dims).values,
		) as [Float64Array, Float64Array, Float64Array, Float64Array];
		const hi = new Float64Array(al.length);
		const lo = al.map((_, i) => {
			const areOpen = isOpen(al[i]!, ah[i]!) || isOpen(bl[i]!, bh[i]!);
			const result = areOpen ? ANYTHING : range([al[i]!, ah[i]!], [bl[i]!, bh[i]!]);
			hi[i] = result[1];
			return result[0];
		});
		return dependence(grids.zip(x, y, joined), { dims, values: lo }, { dims, values: hi });
	};
}

/** A fixed factor or term of such a size leaves what it meets in place; a mask's is 0 or far larger. */
const isPlain = (value: number) => Math.abs(value) > 1e-3 && Math.abs(value) < 10;

/**
 * The reach of `x` once it is combined with `other`. Where that is fixed with values of its own at every position, it
 * may be a mask, and `x` is not sure to matter.
 */
function doubtMasked(x: Dependence, other: Dependence, { shape }: Tensor): Grid {
	if (!isFixed(other)) return x.reach;
	const { dims } = grids.toRank(x.reach, Math.max(x.reach.dims.length, shape.length));
	const lengths = [...Array<number>(dims.length - shape.length).fill(1), ...shape];
	if (!dims.some((length, d) => length > 1 && lengths[d]! > 1)) return x.reach;
	const isKept = grids.zip(other.lo, other.hi, (lo, hi) => Number(lo === hi && isPlain(lo)));
	return grids.zip(x.reach, isKept, (r, kept) => (kept ? r : doubt(r)));
}

/** Moves elements: the same rearrangement of all that is known. */
export function moved(x: Dependence, move: (grid: Grid) => Grid): Dependence {
	return dependence(move(x.reach), ...pair(move(x.lo), move(x.hi)));
}

/** Tensors side by side along a dimension, of which the parts take `lengths`. */
export function joined(parts: readonly Dependence[], dim: number, lengths: readonly number[]): Dependence {
	const [some, long] = [parts.filter((_, i) => lengths[i]! > 0), lengths.filter((n) => n > 0)];
	const side = (of: (part: Dependence) => Grid) => grids.concat(some.map(of), dim, long);
	return dependence(
		side(({ reach }) => reach),
		...pair(
			side(({ lo }) => lo),
			side(({ hi }) => hi),
		),
	);
}

/** Two grids with the same dimensions. */
function pair(lo: Grid, hi: Grid): [Grid, Grid] {
	const dims = lo.dims.map((n, d) => Math.max(n, hi.dims[d]!));
	return [grids.expand(lo, dims), grids.expand(hi, dims)];
}

/** Every element depends on its whole last dimension, and lies in `range` if what it is computed from is finite. */
export function onRow<Attributes>(
	range: (x: Dependence, attrs: Attributes, node: Tensor) => Interval,
): DependenceRule<Attributes> {
	return ([x], attrs, node) => {
		const interval = range(x!, attrs, node);
		return between(overDimensions(x!.reach, [x!.reach.dims.length - 1]), isBounded(x!) ? interval : ANYTHING);
	};
}

export function overDimensions(reach: Grid, dims: readonly number[]): Grid {
	return dims.reduce((total, dim) => grids.reduce(total, dim, join), reach);
}

/** A symmetrical interval, anything where it would not fit into float32. */
export function upTo(most: number): Interval {
	return most < 1e38 ? [-most, most] : ANYTHING;
}

/** A sum over some dimensions. */
export function onSum(x: Dependence, shape: Shape, summed: Shape): Dependence {
	const dims = [...shape.keys()].filter((d) => shape[d] !== summed[d]);
	const reach = overDimensions(x.reach, dims);
	let [lo, hi] = [x.lo, x.hi];
	let [size] = [grids.zip(x.lo, x.hi, (l, h) => Math.max(Math.abs(l), Math.abs(h)))];
	for (const d of dims) {
		const total = (g: Grid) =>
			g.dims[d] === 1 ? grids.map(g, (value) => value * shape[d]!) : grids.reduce(g, d, (a, b) => a + b);
		[lo, hi, size] = [total(lo), total(hi), total(size)];
	}
	// The error of a sum grows with its terms, not with what is left of them.
	const off = (sign: number) => (value: number, size: number) => value + sign * 1e-3 * size;
	const isZero = grids.map(size, (value) => (value === 0 ? 1 : 0));
	const low = isNonNegative(x)
		? grids.map(lo, (value) => (value === 0 ? 0 : 0.99 * value))
		: grids.zip(lo, size, off(-1));
	const high = grids.zip(hi, size, off(1));
	const fits = everywhere(size, (value) => value < 1e38);
	if (!fits) return between(reach, ANYTHING);
	return dependence(
		reach,
		grids.zip(low, isZero, (v, zero) => (zero ? 0 : v)),
		grids.zip(high, isZero, (v, zero) => (zero ? 0 : v)),
	);
}

/** Exponents this far below the largest are exactly 0 in float32, in every kernel. */
const UNDERFLOW = -110;

/** Softmax over the last dimension: what is far below another score has no weight, and depends on nothing. */
export function onSoftmax(x: Dependence): Dependence {
	const dim = x.reach.dims.length - 1;
	const best = grids.expand(grids.reduce(x.lo, dim, Math.max), x.lo.dims);
	const bad = (lo: number, hi: number) => !(Number.isFinite(lo) && Number.isFinite(hi)) && !(lo === hi && lo < 0);
	const isBad = grids.expand(
		grids.reduce(
			grids.zip(x.lo, x.hi, (lo, hi) => (bad(lo, hi) ? 1 : 0)),
			dim,
			Math.max,
		),
		x.lo.dims,
	);
	const isLost = grids.grid(x.lo.dims, (i) => {
		const isKnown = !isBad.values[i] && Number.isFinite(best.values[i]!);
		return isKnown && x.hi.values[i]! - best.values[i]! < UNDERFLOW ? 1 : 0;
	});
	const isKnown = grids.zip(isBad, best, (bad, most) => (bad || !Number.isFinite(most) ? 0 : 1));
	const read = grids.zip(x.reach, isLost, (reach, lost) => (lost ? NOTHING : reach));
	const lo = grids.zip(isKnown, isLost, (known) => (known ? 0 : ANYTHING[0]));
	const hi = grids.zip(isKnown, isLost, (known, lost) => (known ? (lost ? 0 : 1.001) : ANYTHING[1]));
	// That a lost score depends on nothing is left for the product to see, from its weight of 0.
	return { reach: overDimensions(read, [dim]), lo, hi };
}

/** Multiplications and comparisons the zeros of a product are worth. */
const MAX_WORK = 2 ** 26;

/** a [..., M, K] times b [..., K, N]. What is multiplied by an exact 0 is not read. */
export function onProduct(a: Dependence, b: Dependence, inner: number): Dependence {
	const rank = a.reach.dims.length;
	const [rows, columns] = [rank - 2, rank - 1];
	const swapped = (g: Grid) => grids.permute(g, [...Array(rank).keys()].with(rows, columns).with(columns, rows));
	const areFinite = isBounded(a) && isBounded(b);
	const left = areFinite ? zerosOf(a) : undefined;
	const right = areFinite ? zerosOf(b) : undefined;
	// A fixed matrix along positions may be a mask, or take differences.
	const [x, y] = [
		isFixed(b) && a.reach.dims[columns]! > 1 ? doubtful(a.reach) : a.reach,
		isFixed(a) && b.reach.dims[rows]! > 1 ? doubtful(b.reach) : b.reach,
	];
	const fromB = readBy(left, y);
	const fromA = swapped(readBy(right && swapped(right), swapped(x)));
	const most = inner * magnitude(a) * magnitude(b) * 1.05;
	const range: Interval = isNonNegative(a) && isNonNegative(b) && most < 1e38 ? [0, most] : upTo(most);
	return between(grids.zip(fromA, fromB, join), areFinite ? range : ANYTHING);
}

/** For each row m: the join of b[k, n] over the k at which `zeros` [m, k] is not set. */
function readBy(zeros: Grid | undefined, b: Grid): Grid {
	const rank = b.dims.length;
	const [rows, columns] = [rank - 2, rank - 1];
	const all = () => grids.reduce(b, rows, join);
	if (!zeros || everywhere(zeros, (zero) => zero === 0)) return all();
	const batch = b.dims.slice(0, rows).map((n, d) => Math.max(n, zeros.dims[d]!));
	const [M, N] = [zeros.dims[rows]!, b.dims[columns]!];
	const K = Math.max(zeros.dims[columns]!, b.dims[rows]!);
	const count = batch.reduce((total, n) => total * n, 1);
	if (count * M * N * K > MAX_WORK) return all();
	grids.spend(count * M * N * K);
	const skip = grids.expand(zeros, [...batch, M, K]).values;
	const read = grids.expand(b, [...batch, K, N]).values;
	return grids.grid([...batch, M, N], (i) => {
		const [n, m, at] = [i % N, Math.floor(i / N) % M, Math.floor(i / N / M)];
		let reach = NOTHING;
		for (let k = 0; k < K; k++) if (!skip[(at * M + m) * K + k]) reach = join(reach, read[(at * K + k) * N + n]!);
		return reach;
	});
}

/** Rows of `table` by `ids`. Ids that are fixed choose rows that are known. */
export function onLookup(table: Dependence, ids: Dependence, [count]: Shape): Dependence {
	const areKnown = isFixed(ids) && ids.lo.values.every((id, i) => id === ids.hi.values[i]);
	const range = rangeOf(table);
	if (areKnown && table.reach.dims[0]! > 1) {
		const at = grids.expand(ids.lo, [count!]).values;
		const width = table.reach.dims[1]!;
		const reach = grids.grid(
			[count!, width],
			(i) => table.reach.values[at[Math.floor(i / width)]! * width + (i % width)] ?? Number.POSITIVE_INFINITY,
		);
		return between(reach, range);
	}
	const rows = overDimensions(table.reach, [0]);
	return between(grids.zip({ dims: [ids.reach.dims[0]!, 1], values: ids.reach.values }, rows, join), range);
}

function rangeOf(x: Dependence): Interval {
	const lo = x.lo.values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
	const hi = x.hi.values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
	return [lo, hi];
}

/**
 * Attention: a position reads its own query, and the keys and values up to it. A masked weight of 0 hides a value only
 * if that is finite: 0 times infinity is NaN, which other operations can turn into a number again.
 */
export function onAttention(
	[q, k, v]: readonly [Dependence, Dependence, Dependence],
	{ causal, scale }: { causal: boolean; scale: number },
	[, length, , width]: Shape,
): Dependence {
	const most = magnitude(v) * 1.01;
	const scores = magnitude(q) * magnitude(k) * width! * Math.max(1, Math.abs(scale));
	const isSafe = scores < 1e38 && most * length! < 1e38;
	const read = grids.zip(overDimensions(k.reach, [2, 3]), overDimensions(v.reach, [2, 3]), join);
	const seen = causal && isSafe ? grids.scan(read, 1, join) : overDimensions(read, [1]);
	const reach = grids.zip(overDimensions(q.reach, [3]), isSafe ? seen : doubtful(seen), join);
	return between(reach, isSafe ? (isNonNegative(v) ? [0, most] : [-most, most]) : ANYTHING);
}

// ------------------------------------------------------------------------------------------------------ intervals

const isPoint = ([lo, hi]: Interval) => lo === hi;

export const added = (a: Interval, b: Interval): Interval =>
	isPoint(a) && isPoint(b) ? exactly(a[0] + b[0]) : rounded(a[0] + b[0], a[1] + b[1]);

export const subtracted = (a: Interval, b: Interval): Interval => added(a, [-b[1], -b[0]]);

export const multiplied = (a: Interval, b: Interval): Interval => {
	const products = [a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]];
	if (isPoint(a) && isPoint(b)) return exactly(products[0]!);
	return rounded(Math.min(...products), Math.max(...products));
};

export const divided = (a: Interval, b: Interval): Interval => {
	if (!(b[0] > 0 || b[1] < 0)) return ANYTHING;
	const quotients = [a[0] / b[0], a[0] / b[1], a[1] / b[0], a[1] / b[1]];
	// A quotient of constants is left between two numbers, for it is rounded in ways of its own.
	const slack = isPoint(a) && isPoint(b) ? Math.abs(quotients[0]!) * 1e-4 : 0;
	return rounded(Math.min(...quotients) - slack, Math.max(...quotients) + slack);
};

/** `scale x + bias`, whether the product is rounded on its way or not. */
export const scaled = (lo: number, hi: number, { scale, bias }: { scale: number; bias: number }): Interval => {
	const [by, plus] = [Math.fround(scale), Math.fround(bias)];
	return added(multiplied([lo, hi], [by, by]), [plus, plus]);
};

/** What a function gives that never leaves an interval for finite numbers. */
export const within =
	(low: number, high: number) =>
	(lo: number, hi: number): Interval =>
		Number.isFinite(lo) && Number.isFinite(hi) ? [low, high] : ANYTHING;

export const exponential = (lo: number, hi: number): Interval => {
	if (hi < UNDERFLOW && (Number.isFinite(lo) || lo === hi)) return [0, 0];
	return Number.isFinite(lo) && hi < 88 ? rounded(Math.exp(lo) * 0.999, Math.exp(hi) * 1.001) : ANYTHING;
};

export const logarithm = (lo: number, hi: number): Interval => {
	if (!(lo > 0 && hi < Number.POSITIVE_INFINITY)) return ANYTHING;
	const [low, high] = [Math.log(lo), Math.log(hi)];
	return [low - 1e-3 * (1 + Math.abs(low)), high + 1e-3 * (1 + Math.abs(high))];
};

export const squareRoot = (lo: number, hi: number): Interval =>
	lo >= 0 ? rounded(Math.sqrt(lo) * 0.999, Math.sqrt(hi) * 1.001) : ANYTHING;

export const absolute = (lo: number, hi: number): Interval => {
	if (!(Number.isFinite(lo) && Number.isFinite(hi))) return ANYTHING;
	return [lo > 0 ? lo : hi < 0 ? -hi : 0, Math.max(-lo, hi)];
};

export const squared = (lo: number, hi: number): Interval => {
	const [low, high] = absolute(lo, hi);
	return lo === hi ? exactly(lo * lo) : rounded(low * low, high * high);
};

export const heaviside = (lo: number, hi: number): Interval => {
	if (lo > 0 && Number.isFinite(hi)) return [1, 1];
	if (hi <= 0 && (Number.isFinite(lo) || lo === hi)) return [0, 0];
	return Number.isFinite(lo) && Number.isFinite(hi) ? [0, 1] : ANYTHING;
};

export const rectified = (lo: number, hi: number): Interval =>
	Number.isFinite(lo) && Number.isFinite(hi) ? [Math.max(0, lo), Math.max(0, hi)] : ANYTHING;
