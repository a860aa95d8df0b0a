/**
 * Attention over long sequences for the portable lowering: a block of queries at a time, against only the keys that it may
 * see. No [T, T] matrix is ever in memory, and causal attention computes half of one. The backward pass computes each
 * block's probabilities again rather than keep them. Lengths are in ggml's order.
 */
import { BYTES, type Pointer } from "../ggml.ts";
import type { AttentionAttributes } from "../ops/attention.ts";
import { joinAlong, padAlong, softmaxGradient } from "./decompose.ts";
import type { Builder } from "./lowering.ts";

/** Queries in a block, and the longest sequence that is not cut. */
export const BLOCK = 512;

/** [width, time, heads, rows] */
type Lengths = [number, number, number, number];

/** A contiguous [width, time, heads, rows]. */
export interface Rows {
	at: Pointer;
	lengths: Lengths;
}

/** Queries `from` to `to` see keys `first` to `last`. */
interface Block {
	from: number;
	to: number;
	first: number;
	last: number;
}

function blocksOf(T: number, { causal, window }: AttentionAttributes): Block[] {
	return Array.from({ length: Math.ceil(T / BLOCK) }, (_, i) => {
		const [from, to] = [i * BLOCK, Math.min(T, (i + 1) * BLOCK)];
		const first = window > 0 ? Math.max(0, from - window + 1) : 0;
		return { from, to, first, last: causal ? to : T };
	});
}

/** softmax(scale · q kᵀ + mask) v for q [D, T, H, B] and k, v [D, T, G, B] → [D, T, H, B]. */
export function attendInBlocks(builder: Builder, q: Rows, k: Rows, v: Rows, attrs: AttentionAttributes): Pointer {
	const { ggml, context } = builder;
	const parts = blocksOf(q.lengths[1], attrs).map((block) => {
		const p = probabilities(builder, q, k, block, attrs);
		const part = ggml.mul_mat(context, transposed(builder, cut(builder, v, block.first, block.last)), p);
		builder.schedule(part);
		return part;
	});
	return joinAlong(builder, parts, 1);
}

/** The gradients of q, k and v, each with the heads of q: [D, T, H, B]. */
export function attendInBlocksBackward(
	builder: Builder,
	[q, k, v, g]: [Rows, Rows, Rows, Rows],
	attrs: AttentionAttributes,
): [Pointer, Pointer, Pointer] {
	const { ggml, context } = builder;
	const queries: Pointer[] = [];
	let sums: [Pointer, Pointer] | undefined;
	for (const block of blocksOf(q.lengths[1], attrs)) {
		const { from, to, first, last } = block;
		const p = probabilities(builder, q, k, block, attrs); // [keys, queries, H, B]
		const gradient = cut(builder, g, from, to);
		const dp = ggml.mul_mat(context, cut(builder, v, first, last), gradient);
		const ds = softmaxGradient(builder, dp, p, attrs.scale);
		const dq = ggml.mul_mat(context, transposed(builder, cut(builder, k, first, last)), ds);
		const byKeys = (x: Pointer, scores: Pointer) =>
			spread(
				builder,
				ggml.mul_mat(context, transposed(builder, x), transposed(builder, scores)),
				q.lengths,
				first,
				last,
			);
		const dk = byKeys(cut(builder, q, from, to), ds);
		const dv = byKeys(gradient, p);
		sums = sums ? [ggml.add(context, sums[0], dk), ggml.add(context, sums[1], dv)] : [dk, dv];
		// In this order a block's matrices are freed before the next block's are made.
		for (const node of [dq, ...sums]) builder.schedule(node);
		queries.push(dq);
	}
	return [joinAlong(builder, queries, 1), ...sums!];
}

function probabilities(builder: Builder, q: Rows, k: Rows, block: Block, attrs: AttentionAttributes): Pointer {
	const { ggml, context } = builder;
	const { from, to, first, last } = block;
	const { causal, window, scale } = attrs;
	const shape = [to - from, last - first];
	const mask = causal
		? builder.constant(`mask ${from}..${to} of ${first}..${last} ${window}`, shape, () => maskOf(block, window))
		: null;
	const scores = ggml.mul_mat(context, cut(builder, k, first, last), cut(builder, q, from, to));
	return ggml.soft_max_ext(context, scores, mask, scale, 0);
}

function maskOf({ from, to, first, last }: Block, window: number): Float32Array {
	const width = last - first;
	const mask = new Float32Array((to - from) * width).fill(Number.NEGATIVE_INFINITY);
	for (let t = from; t < to; t++) {
		const start = window > 0 ? Math.max(first, t - window + 1) : first;
		mask.fill(0, (t - from) * width + start - first, (t - from) * width + t + 1 - first);
	}
	return mask;
}

/** Times `from` to `to` of x. */
function cut({ ggml, context }: Builder, { at, lengths }: Rows, from: number, to: number): Pointer {
	const [D, T, H, B] = lengths;
	const steps = [D * BYTES, D * T * BYTES, D * T * H * BYTES] as const;
	return ggml.cont(context, ggml.view_4d(context, at, D, to - from, H, B, ...steps, from * D * BYTES));
}

/** x at times `from` to `to` of T, and zeros elsewhere. */
function spread(builder: Builder, x: Pointer, [D, T, H, B]: Lengths, from: number, to: number): Pointer {
	if (from === 0 && to === T) return x;
	const zeros = (n: number) =>
		builder.constant(`zeros ${[B, H, n, D]}`, [B, H, n, D], () => new Float32Array(B * H * n * D));
	return padAlong(builder, x, [D, to - from, H, B], 1, [from, T - to], zeros);
}

function transposed({ ggml, context }: Builder, x: Pointer): Pointer {
	return ggml.cont(context, ggml.transpose(context, x));
}
