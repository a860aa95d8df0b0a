/** Scaled dot-product attention: causal, windowed, grouped-query. */
import { onAttention, onEverything } from "../dependence/rules.ts";
import { fail, show } from "../errors.ts";
import type { Shape, Tensor } from "../tensor.ts";
import { type AttributesOf, define, requireF32, requireOptions, sameShape } from "./define.ts";

/** `window` 0 means unlimited. */
const attrs = { causal: "boolean", window: "integer", scale: "number" } as const;
export type AttentionAttributes = AttributesOf<typeof attrs>;

function check(q: Tensor, k: Tensor, v: Tensor, { window }: AttentionAttributes): void {
	requireF32("attention", q, k, v);
	const [B, T, H, D] = q.shape as [number, number, number, number];
	const fits =
		[q, k, v].every((x) => x.shape.length === 4) &&
		sameShape(k.shape, v.shape) &&
		sameShape([B, T, D], [k.dim(0), k.dim(1), k.dim(3)]) &&
		H % k.dim(2) === 0;
	if (!fits) {
		const wanted = "q [B, T, heads, D] and k, v [B, T, heads or a divisor of it, D] are wanted";
		fail("attention", `q ${show(q.shape)}, k ${show(k.shape)}, v ${show(v.shape)}: ${wanted}`);
	}
	if (window < 0) fail("attention", `a window of ${window} sees nothing`);
}

export const attentionOp = define("attention", {
	arity: 3,
	attrs,
	infer: ([q, k, v], a) => {
		check(q!, k!, v!, a);
		return { shape: q!.shape };
	},
	dependence: ([q, k, v], a, { shape }) => onAttention([q!, k!, v!], a, shape),
	vjp: (y, g, a) => y.inputs.map((_, of) => attentionBackward([...y.inputs, y, g], { ...a, of })),
});

/** The gradient of attention by q (`of` 0), k (1) or v (2), from q, k, v, the output and its gradient. */
export const attentionBackward = define("attention_backward", {
	arity: 5,
	attrs: { ...attrs, of: "integer" },
	infer: ([q, k, v, y, g], { of, ...a }) => {
		check(q!, k!, v!, a);
		if (!sameShape(y!.shape, q!.shape) || !sameShape(g!.shape, q!.shape)) {
			fail("attention_backward", `gradient ${show(g!.shape)} does not match q ${show(q!.shape)}`);
		}
		const shape: Shape | undefined = [q!, k!, v!][of]?.shape;
		if (!shape) fail("attention_backward", `there is no input ${of}`);
		return { shape };
	},
	dependence: onEverything,
});

interface AttentionOptions {
	/** Position t sees positions up to t only. Language models must; the judge checks. Default true. */
	causal?: boolean;
	/** How many positions each sees, itself included; 0 for all. Needs `causal`. */
	window?: number;
	/** What the scores are multiplied by. Default 1 / sqrt(D). */
	scale?: number;
}

/**
 * Scaled dot-product attention `softmax(scale · q kᵀ) v` (Vaswani et al. 2017) for q [B, T, H, D] and k, v [B, T, G,
 * D] → [B, T, H, D]. With G < H, each key and value head serves H / G query heads in a row (grouped-query attention,
 * Ainslie et al. 2023).
 * @throws TensorError when the shapes do not fit or a window is asked for without `causal`.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
	requireF32("attention", q, k, v);
	requireOptions("attention", options, "causal", "window", "scale");
	const { causal = true, window = 0, scale = 1 / Math.sqrt(q.dim(-1)) } = options;
	if (window > 0 && !causal) fail("attention", "a window needs causal attention");
	return attentionOp([q, k, v], { causal, window: window >= q.dim(1) ? 0 : window, scale });
}
