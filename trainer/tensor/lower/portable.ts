/** The portable lowering: ggml's own operations only, so it runs on every device ggml has a back end for. */
import { fail } from "../errors.ts";
import { BYTES, type Pointer, ROPE_NEOX } from "../ggml.ts";
import type { AttentionAttributes } from "../ops/attention.ts";
import { uniformValue } from "../ops/leaf.ts";
import type { OpName, TensorOf } from "../ops/table.ts";
import { ne } from "../storage.ts";
import { type Shape, sizeOf, type Tensor } from "../tensor.ts";
import { ACCUMULATE, accumulateInPlace } from "./accumulate.ts";
import { attendInBlocks, attendInBlocksBackward, BLOCK, type Heads } from "./blocked-attention.ts";
import { chunkCrossEntropies } from "./chunked-cross-entropy.ts";
import { joinAlong, outProduct, padAlong, scatterRows, softmaxGradient, sumOver } from "./decompose.ts";
import type { Builder, Lowering } from "./lowering.ts";

type PortableRule<T extends Tensor = Tensor> = (tensor: T, builder: Builder, inputs: Pointer[]) => Pointer;

type Unary = "abs" | "cos" | "exp" | "log" | "relu" | "sigmoid" | "silu" | "sin" | "sqrt" | "step" | "tanh";
const unary =
	(name: Unary): PortableRule =>
	(_, { ggml, context }, [x]) =>
		ggml[name](context, x!);

/** ggml stretches its second operand only; the first is stretched here where the result is larger. */
const binary =
	(name: "add" | "sub" | "mul" | "div"): PortableRule =>
	({ shape, inputs: [a, b] }, builder, [x, y]) => {
		const { ggml, context } = builder;
		if (sizeOf(a!.shape) === sizeOf(shape)) return ggml[name](context, x!, y!);
		const commutes = name === "add" || name === "mul";
		if (commutes && sizeOf(b!.shape) === sizeOf(shape)) return ggml[name](context, y!, x!);
		return ggml[name](context, ggml.repeat_4d(context, x!, ...ne(shape)), y!);
	};

/** All operations but leaves, which graph.ts makes. */
const rules: { readonly [Name in Exclude<OpName, "full">]: PortableRule<TensorOf<Name>> } = {
	abs: unary("abs"),
	cos: unary("cos"),
	exp: unary("exp"),
	log: unary("log"),
	relu: unary("relu"),
	sigmoid: unary("sigmoid"),
	silu: unary("silu"),
	sin: unary("sin"),
	sqrt: unary("sqrt"),
	step: unary("step"),
	tanh: unary("tanh"),
	add: binary("add"),
	sub: binary("sub"),
	mul: binary("mul"),
	div: binary("div"),
	square: (_, { ggml, context }, [x]) => ggml.sqr(context, x!),
	affine: ({ attrs }, { ggml, context }, [x]) => ggml.scale_bias(context, x!, attrs.scale, attrs.bias),
	softcap: ({ attrs }, { ggml, context }, [x]) => {
		const { cap } = attrs;
		return ggml.scale(context, ggml.tanh(context, ggml.scale(context, x!, 1 / cap)), cap);
	},

	sum_to: ({ shape, inputs: [x] }, builder, [p]) => {
		const { ggml, context } = builder;
		if (sizeOf(shape) === 1) return ggml.sum(context, p!);
		const onlyRows = x!.shape.every((n, i) => n === shape[i] || i === shape.length - 1);
		if (onlyRows) return ggml.sum_rows(context, p!);
		return sumOver(builder, p!, ne(x!.shape), ne(shape));
	},
	broadcast_to: ({ shape }, { ggml, context }, [x]) => ggml.repeat_4d(context, x!, ...ne(shape)),
	reshape: ({ shape }, { ggml, context }, [x]) => ggml.reshape_4d(context, x!, ...ne(shape)),
	detach: (_, __, [x]) => x!,
	permute: ({ attrs, shape }, { ggml, context }, [x]) => {
		// ggml's permute says where each old dimension goes; PyTorch's where each new one comes from.
		const { dims } = attrs;
		const last = shape.length - 1;
		const to = [0, 1, 2, 3].map((d) => (d > last ? d : last - dims.indexOf(last - d)));
		return ggml.cont(context, ggml.permute(context, x!, ...(to as [number, number, number, number])));
	},
	slice: ({ attrs, shape, inputs: [x] }, { ggml, context }, [p]) => {
		const { dim, start } = attrs;
		const offset = start * stridesOf(x!.shape)[x!.shape.length - 1 - dim]!;
		// Contiguous already: with strides of its own, or ggml would take the lengths of 1 for gaps.
		const isWhole = sizeOf(shape.slice(0, dim)) === 1;
		const [, ...outer] = stridesOf(isWhole ? shape : x!.shape);
		const part = ggml.view_4d(context, p!, ...ne(shape), ...outer, offset);
		return isWhole ? part : ggml.cont(context, part);
	},
	pad: ({ attrs, dtype, shape, inputs: [x] }, builder, [p]) => {
		const { ggml, context } = builder;
		const { dim, before, after } = attrs;
		const at = shape.length - 1 - dim;
		const Values = dtype === "f32" ? Float32Array : Int32Array;
		const zeros = (n: number) => {
			const block = x!.shape.with(dim, n);
			return builder.constant(`zeros ${dtype} ${block}`, block, () => new Values(sizeOf(block)));
		};
		if (dtype === "f32") return padAlong(builder, p!, ne(x!.shape), at, [before, after], zeros);
		const front = before > 0 ? ggml.concat(context, zeros(before), p!, at) : p!;
		return after > 0 ? ggml.concat(context, front, zeros(after), at) : front;
	},
	concat: ({ attrs, shape }, builder, inputs) => joinAlong(builder, inputs, shape.length - 1 - attrs.dim),

	matmul: ({ attrs }, builder, [a, b]) => {
		const { ggml, context } = builder;
		// ggml.mul_mat(b, a) contracts the contiguous dimensions of both: it is a · bᵀ in row-major terms.
		const transposed = (x: Pointer) => ggml.cont(context, ggml.transpose(context, x));
		if (attrs.transposeA && !attrs.transposeB) return outProduct(builder, b!, a!);
		return ggml.mul_mat(context, attrs.transposeB ? b! : transposed(b!), attrs.transposeA ? transposed(a!) : a!);
	},

	embedding: (_, { ggml, context }, [weight, ids]) => ggml.get_rows(context, weight!, ids!),
	embedding_backward: ({ shape, inputs: [, tokens] }, builder, [g, ids]) => {
		let source = tokens!;
		while (source.op === "reshape") source = source.inputs[0]!;
		return scatterRows(builder, g!, ids!, `${source.id}`, [tokens!.size, shape[0]!, shape[1]!]);
	},
	rms_norm: ({ attrs, shape }, builder, [x]) =>
		byRows(builder, x!, shape, (rows) => builder.ggml.rms_norm(builder.context, rows, attrs.eps)),
	rms_norm_backward: ({ attrs }, { ggml, context, device }, [g, x]) => {
		const { eps } = attrs;
		const fused = ggml.rms_norm_back(context, g!, x!, eps);
		if (device.supports(fused)) return fused;
		// y = x / r with r = sqrt(mean(x²) + eps), so dx = (g - y mean(g y)) / r.
		const y = ggml.rms_norm(context, x!, eps);
		const r = ggml.sqrt(context, ggml.scale_bias(context, ggml.mean(context, ggml.sqr(context, x!)), 1, eps));
		const along = ggml.mul(context, y, ggml.mean(context, ggml.mul(context, g!, y)));
		return ggml.div(context, ggml.sub(context, g!, along), r);
	},
	softmax: ({ shape }, builder, [x]) =>
		byRows(builder, x!, shape, (rows) => builder.ggml.soft_max(builder.context, rows)),
	rotary: ({ attrs, shape }, builder, [x]) => {
		const [, T, , D] = shape as [number, number, number, number];
		const positions = builder.constant(`positions ${T}`, [T], () => Int32Array.from({ length: T }, (_, i) => i));
		// ggml turns the other way than nanochat: the frequency's sign says which way.
		const sign = attrs.inverse ? 1 : -1;
		const { ggml, context } = builder;
		return ggml.rope_ext(context, x!, positions, null, D, ROPE_NEOX, 0, attrs.base, sign, 0, 1, 0, 0);
	},

	cross_entropy: (tensor, builder) => crossEntropyParts(tensor, builder).losses,
	cross_entropy_backward: (tensor, builder) => {
		const { ggml, context } = builder;
		const [logits, targets, g] = tensor.inputs as [Tensor, Tensor, Tensor];
		const [N, V] = logits.shape as [number, number];
		const { tanh, probabilities, chosen, losses, rows } = crossEntropyParts(tensor, builder);
		// The probabilities are overwritten below, so the losses must have been read from them before.
		builder.schedule(losses);
		const key = `cross-entropy ${logits.id} ${targets.id} ${tensor.attrs.softcap}`;
		const less = builder.memo(`${key} less the target`, () => {
			const less = ggml.set_rows(context, probabilities, ggml.scale_bias(context, chosen, 1, -1), rows);
			return ggml.reshape_4d(context, less, V, N, 1, 1);
		});
		const slope = (factor: number) => tanh && ggml.scale_bias(context, ggml.sqr(context, tanh), -factor, factor);
		const factor = uniformValue(g);
		if (factor !== undefined) {
			return tanh ? ggml.mul(context, less, slope(factor)!) : ggml.scale(context, less, factor);
		}
		const gradient = tanh ? ggml.mul(context, less, slope(1)!) : less;
		return ggml.mul(context, gradient, ggml.reshape_4d(context, builder.of(g), 1, N, 1, 1));
	},

	attention: ({ inputs: [q, k, v], attrs }, builder) => {
		const { ggml, context } = builder;
		if (q!.dim(1) > BLOCK) {
			const [queries, keys, values] = [q!, k!, v!].map((x) => byHeads(builder, x)) as [Heads, Heads, Heads];
			return fromHeads(builder, attendInBlocks(builder, queries, keys, values, attrs), q!);
		}
		const p = probabilities(q!, k!, attrs, builder);
		const vT = ggml.cont(context, ggml.permute(context, builder.of(v!), 1, 2, 0, 3)); // [T, D, G, B]
		return swapHeads(builder, ggml.mul_mat(context, vT, p));
	},
	attention_backward: ({ inputs: [q, k, v, , g], attrs }, builder) => {
		const { ggml, context } = builder;
		const { of, ...attributes } = attrs;
		if (q!.dim(1) > BLOCK) {
			const gradient = blockGradient(builder, [q!, k!, v!, g!], attributes, of);
			return sumGroups(builder, [q!, k!, v!][of]!, q!.dim(2), gradient);
		}
		const p = probabilities(q!, k!, attributes, builder); // [Tk, Tq, H, B]
		const gradient = swapHeads(builder, builder.of(g!)); // [D, Tq, H, B]
		const transposed = (x: Pointer) => ggml.cont(context, ggml.transpose(context, x));
		// [T, D, H, B]
		const byColumns = (x: Tensor) => ggml.cont(context, ggml.permute(context, builder.of(x), 1, 2, 0, 3));
		if (of === 2) return sumGroups(builder, v!, q!.dim(2), ggml.mul_mat(context, byColumns(g!), transposed(p)));

		const key = `attention scores' gradient ${[q, k, v, g].map((x) => x!.id)} ${JSON.stringify(attributes)}`;
		const ds = builder.memo(key, () => {
			const dp = ggml.mul_mat(context, swapHeads(builder, builder.of(v!)), gradient);
			return softmaxGradient(builder, dp, p, attributes.scale);
		});
		if (of === 0) return swapHeads(builder, ggml.mul_mat(context, byColumns(k!), ds));
		return sumGroups(builder, k!, q!.dim(2), ggml.mul_mat(context, byColumns(q!), transposed(ds)));
	},
};

/**
 * What `compute` makes of each row, as one matrix: CUDA's grids have room for more rows there than in outer dimensions.
 */
function byRows({ ggml, context }: Builder, x: Pointer, shape: Shape, compute: (rows: Pointer) => Pointer): Pointer {
	const width = shape.at(-1) ?? 1;
	const rows = ggml.reshape_4d(context, x, width, sizeOf(shape) / width, 1, 1);
	return ggml.reshape_4d(context, compute(rows), ...ne(shape));
}

/** Bytes from one index of each dimension to the next, in ggml's order. */
function stridesOf(shape: readonly number[]): [number, number, number, number] {
	return ne(shape).map((_, i, lengths) => sizeOf(lengths.slice(0, i)) * BYTES) as [number, number, number, number];
}

/**
 * Softmax, the probability of each target, and its negative logarithm, shared by both halves of cross-entropy. The
 * probability of a target far below the largest logit rounds to 0, so its logarithm is not taken: that of the likeliest
 * class is at least -log(V), and the two differ by the difference of their logits. Among NaN some devices find no
 * likeliest class and read another number: 0 times the target's probability makes the loss NaN again.
 */
function crossEntropyParts({ inputs, attrs }: TensorOf<"cross_entropy" | "cross_entropy_backward">, builder: Builder) {
	const { ggml, context } = builder;
	const [logits, targets] = inputs as [Tensor, Tensor];
	const [N, V] = logits.shape as [number, number];
	const cap = attrs.softcap;
	const part = (name: string, make: () => Pointer) =>
		builder.memo(`cross-entropy ${logits.id} ${targets.id} ${cap} ${name}`, make);
	const bare = builder.of(logits);
	const tanh = cap > 0 ? part("tanh", () => ggml.tanh(context, ggml.scale(context, bare, 1 / cap))) : undefined;
	// Rows of single elements: get_rows then picks one element of each of N batches, with no index arithmetic.
	const probabilities = part("p", () => {
		const softmax = tanh ? ggml.soft_max_ext(context, tanh, null, cap, 0) : ggml.soft_max(context, bare);
		return ggml.reshape_4d(context, softmax, 1, V, N, 1);
	});
	const rows = part("rows", () => ggml.reshape_4d(context, builder.of(targets), 1, N, 1, 1));
	const chosen = part("chosen", () => ggml.get_rows(context, probabilities, rows));
	const losses = part("losses", () => {
		const likeliest = ggml.argmax(context, ggml.reshape_4d(context, probabilities, V, N, 1, 1));
		const best = ggml.reshape_4d(context, likeliest, 1, N, 1, 1);
		const classes = ggml.reshape_4d(context, tanh ?? bare, 1, V, N, 1);
		const gap = ggml.sub(context, ggml.get_rows(context, classes, best), ggml.get_rows(context, classes, rows));
		const least = ggml.scale(context, ggml.log(context, ggml.get_rows(context, probabilities, best)), -1);
		const loss = ggml.add(context, least, tanh ? ggml.scale(context, gap, cap) : gap);
		return ggml.reshape_4d(context, ggml.add(context, loss, ggml.scale(context, chosen, 0)), N, 1, 1, 1);
	});
	return { tanh, probabilities, chosen, losses, rows };
}

/** softmax(scale · q kᵀ + mask), [Tk, Tq, H, B] in ggml's order. Backward needs it again. */
function probabilities(
	q: Tensor,
	k: Tensor,
	{ causal, window, scale }: AttentionAttributes,
	builder: Builder,
): Pointer {
	return builder.memo(`attention ${q.id} ${k.id} ${causal} ${window} ${scale}`, () => {
		const { ggml, context } = builder;
		const T = q.dim(1);
		const mask = causal ? builder.constant(`mask ${T} ${window}`, [T, T], () => causalMask(T, window)) : null;
		const scores = ggml.mul_mat(context, swapHeads(builder, builder.of(k)), swapHeads(builder, builder.of(q)));
		return ggml.soft_max_ext(context, scores, mask, scale, 0);
	});
}

function causalMask(T: number, window: number): Float32Array {
	const mask = new Float32Array(T * T).fill(Number.NEGATIVE_INFINITY);
	for (let t = 0; t < T; t++) mask.fill(0, t * T + (window > 0 ? Math.max(0, t - window + 1) : 0), t * T + t + 1);
	return mask;
}

/** Swaps time and heads: [D, H, T, B] ↔ [D, T, H, B] in ggml's order. */
function swapHeads({ ggml, context }: Builder, x: Pointer): Pointer {
	return ggml.cont(context, ggml.permute(context, x, 0, 2, 1, 3));
}

function byHeads(builder: Builder, x: Tensor): Heads {
	const { ggml, context } = builder;
	const [B, T, H, D] = x.shape as [number, number, number, number];
	// The backward pass reads it again.
	const at = builder.memo(`by heads ${x.id}`, () =>
		ggml.reshape_4d(context, swapHeads(builder, builder.of(x)), D, T, H * B, 1),
	);
	return { at, lengths: [D, T, H * B] };
}

/** [D, T, H · B] → the layout of `like`. */
function fromHeads(builder: Builder, x: Pointer, like: Tensor): Pointer {
	const [B, T, H, D] = like.shape as [number, number, number, number];
	return swapHeads(builder, builder.ggml.reshape_4d(builder.context, x, D, T, H, B));
}

/** The gradient by input `of`, with the heads of q; all three are built at once. */
function blockGradient(builder: Builder, inputs: Tensor[], attrs: AttentionAttributes, of: number): Pointer {
	const key = (i: number) => `attention in blocks ${inputs.map(({ id }) => id)} ${JSON.stringify(attrs)} ${i}`;
	return builder.memo(key(of), () => {
		const [q, k, v, g] = inputs.map((x) => byHeads(builder, x)) as [Heads, Heads, Heads, Heads];
		const gradients = attendInBlocksBackward(builder, [q, k, v, g], attrs);
		gradients.forEach((gradient, i) => void builder.memo(key(i), () => gradient));
		return gradients[of]!;
	});
}

/** Sums the gradients of the query heads that share a key or value head: [D, T, H · B] → the layout of `of`. */
function sumGroups(builder: Builder, of: Tensor, heads: number, gradient: Pointer): Pointer {
	const { ggml, context } = builder;
	const [B, T, G, D] = of.shape as [number, number, number, number];
	if (heads === G) return fromHeads(builder, gradient, of);
	const grouped = ggml.reshape_4d(context, gradient, D * T, heads / G, G, B);
	const total = sumOver(builder, grouped, [D * T, heads / G, G, B], [D * T, 1, G, B]);
	return fromHeads(builder, total, of);
}

export const portable: Lowering = {
	name: "portable",
	prepare: (outputs, updates) => accumulateInPlace(chunkCrossEntropies(outputs, updates)),
	lower(tensor, builder) {
		const inputs = tensor.inputs.map(builder.of);
		if (tensor.op === ACCUMULATE) return builder.ggml.add_inplace(builder.context, inputs[0]!, inputs[1]!);
		const rule = rules[tensor.op as keyof typeof rules] as PortableRule | undefined;
		if (!rule) fail(tensor.op, "has no lowering");
		return rule(tensor, builder, inputs);
	},
};
