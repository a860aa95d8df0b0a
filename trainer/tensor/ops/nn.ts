/** What language models are made of: embedding, normalisation, softmax, rotary positions, cross-entropy. */
import { ANYTHING, magnitude } from "../dependence/domain.ts";
import { onEverything, onLookup, onRow, onSoftmax, upTo } from "../dependence/rules.ts";
import { fail, show } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { axis, define, describe, requireF32, requireOptions, requireTensor, sameShape } from "./define.ts";
import { mul, softcap, softcapOp, sub } from "./elementwise.ts";
import { mean, sum } from "./reduce.ts";
import { reshape, transpose } from "./shape.ts";

export const embeddingOp = define("embedding", {
	arity: 2,
	attrs: {},
	infer: ([weight, ids]) => {
		if (weight!.dtype !== "f32" || weight!.shape.length !== 2 || ids!.dtype !== "i32" || ids!.shape.length !== 1) {
			fail(
				"embedding",
				`ids ${show(ids!.shape)} and weight ${show(weight!.shape)}: token ids and [count, width] are wanted`,
			);
		}
		return { shape: [ids!.dim(0), weight!.dim(1)] };
	},
	dependence: ([weight, ids], _, { shape }) => onLookup(weight!, ids!, shape),
	vjp: (y, g) => [embeddingBackward([g, y.inputs[1]!], { count: y.inputs[0]!.dim(0) }), undefined],
});

/** Scatter-add: row ids[i] of the result gathers gradient row i. */
export const embeddingBackward = define("embedding_backward", {
	arity: 2,
	attrs: { count: "integer" },
	infer: ([g, ids], { count }) => {
		const fits = g!.shape.length === 2 && ids!.dtype === "i32" && ids!.size === g!.dim(0) && g!.dtype === "f32";
		if (!fits) fail("embedding_backward", `gradient ${show(g!.shape)} does not match ids ${show(ids!.shape)}`);
		return { shape: [count, g!.dim(1)] };
	},
	dependence: onEverything,
});

/**
 * Rows of `weight` [count, width] by token id: ids [...] → [..., width]. Gradients of repeated ids add up.
 * @throws TensorError when the arguments are swapped; at run time, when an id is not from 0 to count - 1.
 */
export function embedding(ids: Tensor, weight: Tensor): Tensor {
	requireTensor("embedding", ids, weight);
	if (ids.dtype !== "i32" || weight.dtype !== "f32" || weight.shape.length !== 2) {
		const given = `ids ${ids.dtype} ${show(ids.shape)} and weight ${weight.dtype} ${show(weight.shape)}`;
		fail("embedding", `${given}: token ids and [count, width] are wanted, in this order`);
	}
	const rows = embeddingOp([weight, reshape(ids, [ids.size])], {});
	return reshape(rows, [...ids.shape, rows.dim(-1)]);
}

export const rmsNormOp = define("rms_norm", {
	arity: 1,
	attrs: { eps: "number" },
	infer: ([x], { eps }) => {
		requireF32("rmsNorm", x!);
		if (x!.shape.length === 0 || eps < 0) fail("rmsNorm", `cannot normalise ${show(x!.shape)} with eps ${eps}`);
		return { shape: x!.shape };
	},
	dependence: onRow((x, { eps }, { shape }) => {
		const width = shape.at(-1)!;
		// With an epsilon, no row of finite squares is divided by 0.
		return eps > 1e-30 && magnitude(x) ** 2 * width < 1e38 ? upTo(1.01 * Math.sqrt(width)) : ANYTHING;
	}),
	vjp: (y, g, { eps }) => [rmsNormBackward([g, y.inputs[0]!], { eps })],
});

export const rmsNormBackward = define("rms_norm_backward", {
	arity: 2,
	attrs: { eps: "number" },
	infer: ([g, x]) => gradientLike("rms_norm_backward", g!, x!),
	dependence: onEverything,
});

/**
 * Divides x [..., width] by the root of the mean square over the last dimension, `sqrt(mean(x²) + eps)` (Zhang &
 * Sennrich 2019). `weight` [width], when given, scales the result; `eps` is 1e-6 unless given. With `eps` 0, a row of
 * zeros gives NaN.
 * @throws TensorError when `x` is a scalar or holds token ids.
 */
export function rmsNorm(x: Tensor, options: { weight?: Tensor; eps?: number } = {}): Tensor {
	requireF32("rmsNorm", x);
	requireOptions("rmsNorm", options, "weight", "eps");
	const { weight, eps = 1e-6 } = options;
	const y = rmsNormOp([x], { eps });
	if (!weight) return y;
	requireF32("rmsNorm", weight);
	return mul(y, weight);
}

export const softmaxOp = define("softmax", {
	arity: 1,
	attrs: {},
	infer: ([x]) => {
		requireF32("softmax", x!);
		if (x!.shape.length === 0) fail("softmax", "a scalar has nothing to compare with");
		return { shape: x!.shape };
	},
	dependence: ([x]) => onSoftmax(x!),
	vjp: (y, g) => [mul(y, sub(g, sum(mul(g, y), -1, { keepdim: true })))],
});

/**
 * `exp(x) / sum(exp(x))` over `dim`, in the shape of `x`, computed without overflow. A row of -infinity alone gives
 * NaN.
 * @throws TensorError when there is no such dimension or `x` holds token ids.
 */
export function softmax(x: Tensor, dim = -1): Tensor {
	requireF32("softmax", x);
	if (dim === -1 || axis("softmax", dim, x.shape) === x.shape.length - 1) return softmaxOp([x], {});
	return transpose(softmaxOp([transpose(x, dim, -1)], {}), dim, -1);
}

export const rotaryOp = define("rotary", {
	arity: 1,
	attrs: { base: "number", inverse: "boolean" },
	infer: ([x], { base }) => {
		requireF32("rotary", x!);
		if (x!.shape.length !== 4 || x!.dim(-1) % 2 !== 0 || base <= 1) {
			fail("rotary", `${show(x!.shape)} with base ${base}: [B, T, heads, even width] and a base above 1 are wanted`);
		}
		return { shape: x!.shape };
	},
	// A pair is turned together: neither becomes longer than both were.
	dependence: onRow((x) => upTo(1.5 * magnitude(x))),
	vjp: (_, g, { base, inverse }): Tensor[] => [rotaryOp([g], { base, inverse: !inverse })],
});

/**
 * Rotary position embedding (Su et al. 2021) of x [B, T, heads, D], in its shape: at position t, the pair (x[i], x[i
 * + D/2]) is turned by -t / base^(2i/D), the way nanochat turns it. `base` is 10000 unless given.
 * @throws TensorError when D is odd or the base is not above 1.
 */
export function rotary(x: Tensor, options: { base?: number } = {}): Tensor {
	requireOptions("rotary", options, "base");
	const { base = 10_000 } = options;
	return rotaryOp([x], { base, inverse: false });
}

export const crossEntropyOp = define("cross_entropy", {
	arity: 2,
	attrs: { softcap: "number" },
	infer: ([logits, targets], { softcap }) => {
		requireF32("crossEntropy", logits!);
		const fits = logits!.shape.length === 2 && targets!.dtype === "i32" && sameShape(targets!.shape, [logits!.dim(0)]);
		if (!fits) fail("crossEntropy", `logits ${show(logits!.shape)} do not match targets ${show(targets!.shape)}`);
		if (softcap < 0) fail("crossEntropy", `the softcap must not be below 0, as ${softcap} is`);
		return { shape: targets!.shape };
	},
	dependence: onEverything,
	vjp: (y, g, { softcap }) => [crossEntropyBackward([...y.inputs, g], { softcap }), undefined],
});

/**
 * (softmax(u) - onehot(targets)) * du/dlogits * gradient: [N, V] from logits [N, V], targets [N], gradient [N], where u
 * is the softcapped logits.
 */
export const crossEntropyBackward = define("cross_entropy_backward", {
	arity: 3,
	attrs: { softcap: "number" },
	infer: ([logits, targets, g]) => {
		requireF32("cross_entropy_backward", logits!, g!);
		const rows = [logits!.dim(0)];
		if (logits!.shape.length !== 2 || !sameShape(targets!.shape, rows) || !sameShape(g!.shape, rows)) {
			fail("cross_entropy_backward", `${show(logits!.shape)}, ${show(targets!.shape)} and ${show(g!.shape)}`);
		}
		return { shape: logits!.shape };
	},
	dependence: onEverything,
});

interface CrossEntropyOptions {
	/** "mean" (the default), or "none": one loss a position, in the shape of `targets`. */
	reduction?: "mean" | "none";
	/** Caps the logits first: `softcap(logits, cap)`. 0, the default, for none. */
	softcap?: number;
}

/**
 * Negative log-likelihood in nats of targets [...] (token ids) under logits [..., V]: a scalar, or [...] without
 * reduction. Computed without overflow.
 * @throws TensorError when the shapes do not match; at run time, when a target is not from 0 to V - 1.
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
	requireF32("crossEntropy", logits);
	requireTensor("crossEntropy", targets);
	requireOptions("crossEntropy", options, "reduction", "softcap");
	const { softcap: cap = 0, reduction = "mean" } = options;
	if (reduction !== "mean" && reduction !== "none") {
		fail("crossEntropy", `the reduction is "mean" or "none", not ${describe(reduction)}`);
	}
	if (!sameShape(logits.shape.slice(0, -1), targets.shape)) {
		fail("crossEntropy", `logits ${show(logits.shape)} do not match targets ${show(targets.shape)}`);
	}
	// A softcap is taken into the operation: one pass then gives the loss and the gradient of the bare logits.
	const capped = softcap(logits, cap);
	const [bare, bound] = softcapOp.is(capped) ? [capped.inputs[0]!, capped.attrs.cap] : [capped, 0];
	const rows = reshape(bare, [targets.size, bare.dim(-1)]);
	const losses = crossEntropyOp([rows, reshape(targets, [targets.size])], { softcap: bound });
	return reduction === "mean" ? mean(losses) : reshape(losses, targets.shape);
}

function gradientLike(op: string, g: Tensor, x: Tensor) {
	requireF32(op, g, x);
	if (!sameShape(g.shape, x.shape)) fail(op, `gradient ${show(g.shape)} does not match ${show(x.shape)}`);
	return { shape: x.shape };
}

export const detachOp = define("detach", {
	arity: 1,
	attrs: {},
	infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
	dependence: ([x]) => x!,
	vjp: () => [undefined],
});

/** The same values in the same shape, through which no gradient flows. */
export function detach(x: Tensor): Tensor {
	requireTensor("detach", x);
	return detachOp([x], {});
}
