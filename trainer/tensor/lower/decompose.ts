/**
 * Operations that not every device has, made of ones that it does have. CUDA and Vulkan run the first choice; Metal
 * lacks OUT_PROD, REPEAT_BACK, GET_ROWS_BACK and PAD at the front (docs/gpu.md). Lengths are in ggml's order.
 */
import { type Ggml, type Pointer, TYPE } from "../ggml.ts";
import type { Builder } from "./lowering.ts";

type Lengths = [number, number, number, number];
type PadAmounts = Parameters<Ggml["pad_ext"]> extends [Pointer, Pointer, ...infer Rest] ? Rest : never;

/**
 * Some of CUDA's kernels start a block for each index of the second dimension, or of the outer ones, without asking
 * whether a grid has as many (pad.cu, binbcast.cu, norm.cu, softmax.cu).
 */
const MAX_GRID = 65_535;

/** Elements from which on a sum is too long for one f32 accumulator. */
const LONG_SUM = 32;

/** Aᵀ B of row-major matrices: x is B, y is A, as ggml_out_prod takes them. */
export function outProduct({ ggml, context, device }: Builder, x: Pointer, y: Pointer): Pointer {
	const fused = ggml.out_prod(context, x, y);
	if (device.supports(fused)) return fused;
	const transposed = (z: Pointer) => ggml.cont(context, ggml.transpose(context, z));
	return ggml.mul_mat(context, transposed(x), transposed(y));
}

/** A B of row-major matrices. */
export function product({ ggml, context, device }: Builder, a: Pointer, b: Pointer): Pointer {
	// What has been transposed is not copied where cuBLAS takes it as it lies (out-prod.cu).
	if (device.kind === "cuda") return ggml.out_prod(context, b, ggml.transpose(context, a));
	return ggml.mul_mat(context, ggml.cont(context, ggml.transpose(context, b)), a);
}

/** Sums x, of lengths `from`, over every dimension whose length in `to` is 1. */
export function sumOver(builder: Builder, x: Pointer, from: Lengths, to: Lengths): Pointer {
	const { ggml, context, device } = builder;
	const [width, ...outer] = to;
	if (device.kind === "cuda" && outer.every((length) => length === 1) && width === from[0]) {
		// A product with ones: CUDA's REPEAT_BACK gives each sum to a single thread (binbcast.cu).
		const rows = from[1] * from[2] * from[3];
		const ones = builder.constant(`ones ${[rows, 1]}`, [rows, 1], () => new Float32Array(rows).fill(1));
		return outProduct(builder, ggml.reshape_4d(context, x, width, rows, 1, 1), ones);
	}
	// The CPU's REPEAT_BACK has one f32 accumulator for a sum of any length; its SUM_ROWS adds in double precision.
	const isLong = from.some((length, dim) => length > LONG_SUM * to[dim]!);
	if (to[1] <= MAX_GRID && !(device.kind === "cpu" && isLong)) {
		const fused = ggml.repeat_back(context, x, ggml.new_tensor_4d(context, TYPE.f32, ...to));
		if (device.supports(fused)) return fused;
	}
	let sum = x;
	from.forEach((length, dim) => {
		if (length === to[dim]) return;
		const swapped = [0, 1, 2, 3].map((d) => (d === 0 ? dim : d === dim ? 0 : d)) as Lengths;
		const swap = (z: Pointer) => (dim === 0 ? z : ggml.cont(context, ggml.permute(context, z, ...swapped)));
		sum = swap(ggml.sum_rows(context, swap(sum)));
	});
	return sum;
}

/** The gradient of x in softmax(scale · x) = p, from that of p. */
export function softmaxGradient({ ggml, context, device }: Builder, g: Pointer, p: Pointer, scale: number): Pointer {
	const fused = ggml.soft_max_ext_back(context, g, p, scale, 0);
	if (device.supports(fused)) return fused;
	const along = ggml.sum_rows(context, ggml.mul(context, g, p));
	return ggml.scale(context, ggml.mul(context, p, ggml.sub(context, g, along)), scale);
}

/**
 * The gradient of an embedding [width, vocabulary] from that of its rows g [width, tokens]: a scatter-add. `name` says
 * of which ids, for tables that are read by the same.
 */
export function scatterRows(
	builder: Builder,
	g: Pointer,
	ids: Pointer,
	name: string,
	[tokens, vocabulary, width]: [number, number, number],
): Pointer {
	const { ggml, context, device } = builder;
	// CUDA's kernel reads every id once for each element of the table (getrows.cu).
	if (device.kind !== "cuda") {
		const fused = ggml.get_rows_back(context, g, ids, ggml.new_tensor_4d(context, TYPE.f32, width, vocabulary, 1, 1));
		if (device.supports(fused)) return fused;
	}
	// A product with one-hot rows: as much arithmetic as the output head's.
	const oneHot = builder.memo(`one-hot ${name} of ${vocabulary}`, () => {
		const zero = builder.constant("zero", [1], () => new Float32Array(1));
		const ones = builder.constant(`ones ${tokens}`, [tokens, 1, 1], () => new Float32Array(tokens).fill(1));
		const empty = ggml.repeat_4d(context, zero, 1, vocabulary, tokens, 1);
		const set = ggml.set_rows(context, empty, ones, ggml.reshape_4d(context, ids, 1, tokens, 1, 1));
		return ggml.reshape_4d(context, set, vocabulary, tokens, 1, 1);
	});
	return outProduct(builder, g, oneHot);
}

/**
 * Joins tensors along `dim`, by halves: one after the other, the first of many would be copied once for each that
 * follows.
 */
export function joinAlong(builder: Builder, parts: readonly Pointer[], dim: number): Pointer {
	if (parts.length === 1) return parts[0]!;
	const half = parts.length >> 1;
	const [front, back] = [parts.slice(0, half), parts.slice(half)].map((some) => joinAlong(builder, some, dim));
	return builder.ggml.concat(builder.context, front!, back!, dim);
}

/** Adds zeros before and after x of `lengths` along `dim`. `zeros(n)` makes a block of n of them. */
export function padAlong(
	{ ggml, context, device }: Builder,
	x: Pointer,
	lengths: Lengths,
	dim: number,
	[before, after]: [number, number],
	zeros: (n: number) => Pointer,
): Pointer {
	const [, rows, ...matrices] = lengths.with(dim, lengths[dim]! + before + after) as Lengths;
	if (rows <= MAX_GRID && matrices[0] * matrices[1] <= MAX_GRID) {
		const amounts = [0, 1, 2, 3].flatMap((d) => (d === dim ? [before, after] : [0, 0]));
		const fused = ggml.pad_ext(context, x, ...(amounts as PadAmounts));
		if (device.supports(fused)) return fused;
	}
	const front = before > 0 ? ggml.concat(context, zeros(before), x, dim) : x;
	return after > 0 ? ggml.concat(context, front, zeros(after), dim) : front;
}
