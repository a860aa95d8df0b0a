/**
 * Attention over long sequences for the portable lowering: a block of queries at a time, against only the keys that it
 * may see. No [T, T] matrix is ever in memory, and causal attention computes half of one. The backward pass computes
 * each block's probabilities again rather than keep them. Lengths are in ggml's order.
 */
import { BYTES, type Pointer } from "../ggml.ts";
import type { AttentionAttributes } from "../ops/attention.ts";
import { joinAlong, outProduct, padAlong, product, softmaxGradient } from "./decompose.ts";
import type { Builder } from "./lowering.ts";

/** Queries in a block, and the longest sequence that is not cut. */
export const BLOCK = 512;

/** A contiguous [width, time, matrices]: a matrix for each head of each row. */
export interface Heads {
	at: Pointer;
	lengths: [number, number, number];
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

/**
 * softmax(scale · q kᵀ + mask) v for q [D, T, H · B] and k, v [D, T, G · B] → [D, T, H · B]. ggml stretches the
 * matrices of k and v over the H / G query heads that share them.
 */
export function attendInBlocks(builder: Builder, q: Heads, k: Heads, v: Heads, attrs: AttentionAttributes): Pointer {
	const parts = blocksOf(q.lengths[1], attrs).map((block) => {
		const p = probabilities(builder, q, k, block, attrs);
		const part = product(builder, p, cut(builder, v, block.first, block.last));
		builder.schedule(part);
		return part;
	});
	return joinAlong(builder, parts, 1);
}

/** The gradients of q, k and v, each with the heads of q: [D, T, H · B]. */
export function attendInBlocksBackward(
	builder: Builder,
	[q, k, v, g]: [Heads, Heads, Heads, Heads],
	attrs: AttentionAttributes,
): [Pointer, Pointer, Pointer] {
	const { ggml, context } = builder;
	const queries: Pointer[] = [];
	let sums: [Heads, Heads] | undefined;
	// The last block first: it sees the last keys, so that the sums only have to be filled up at the front.
	for (const block of blocksOf(q.lengths[1], attrs).reverse()) {
		const { from, to, first, last } = block;
		const p = probabilities(builder, q, k, block, attrs); // [keys, queries, H · B]
		const gradient = cut(builder, g, from, to);
		const dp = ggml.mul_mat(context, cut(builder, v, first, last), gradient);
		const ds = softmaxGradient(builder, dp, p, attrs.scale);
		const dq = product(builder, ds, cut(builder, k, first, last));
		const [dk, dv] = [outProduct(builder, cut(builder, q, from, to), ds), outProduct(builder, gradient, p)];
		if (sums)
			for (const [i, part] of [dk, dv].entries()) {
				const sum = view(builder, sums[i]!, first, last);
				builder.schedule(ggml.add_inplace(context, sum, part));
			}
		else
			sums = [dk, dv].map((part) => ({ at: precededByZeros(builder, part, q.lengths, first), lengths: q.lengths })) as [
				Heads,
				Heads,
			];
		// In this order a block's matrices are freed before the next block's are made.
		for (const node of [dq, ...sums.map(({ at }) => at)]) builder.schedule(node);
		queries.unshift(dq);
	}
	const [keys, values] = sums!;
	return [joinAlong(builder, queries, 1), keys.at, values.at];
}

function probabilities(builder: Builder, q: Heads, k: Heads, block: Block, attrs: AttentionAttributes): Pointer {
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

/** Times `from` to `to` of x for a product. Vulkan's product ignores gaps between matrices; cuBLAS takes strides. */
function cut(builder: Builder, x: Heads, from: number, to: number): Pointer {
	const part = view(builder, x, from, to);
	return builder.device.kind === "cuda" ? part : builder.ggml.cont(builder.context, part);
}

/** Times `from` to `to` of x, where they lie. */
function view({ ggml, context }: Builder, { at, lengths }: Heads, from: number, to: number): Pointer {
	const [D, T, matrices] = lengths;
	const row = D * BYTES;
	return ggml.view_4d(context, at, D, to - from, matrices, 1, row, T * row, matrices * T * row, from * row);
}

/** x, of the times from `first` on, after zeros for those before. */
function precededByZeros(builder: Builder, x: Pointer, [D, T, matrices]: Heads["lengths"], first: number): Pointer {
	if (first === 0) return x;
	const zeros = (n: number) =>
		builder.constant(`zeros ${[matrices, n, D]}`, [matrices, n, D], () => new Float32Array(matrices * n * D));
	return padAlong(builder, x, [D, T - first, matrices, 1], 1, [first, 0], zeros);
}
