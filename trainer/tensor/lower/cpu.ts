/**
 * The CPU lowering: nodes that call the kernels of cpu/kernels.cpp where ggml's own are slow, and ggml's for the rest.
 * Custom nodes run on the CPU only; other devices, and machines without a C++ compiler, use portable.ts.
 */
import koffi from "koffi";
import { Descriptor, type KernelArguments, type KernelName } from "../cpu/descriptor.ts";
import { type Kernels, loadKernels } from "../cpu/load.ts";
import { BYTES, type Pointer, TYPE } from "../ggml.ts";
import type { AttentionAttributes } from "../ops/attention.ts";
import type { OpName, TensorOf } from "../ops/table.ts";
import { ne } from "../storage.ts";
import { type Shape, sizeOf, type Tensor } from "../tensor.ts";
import { Fused, type FusedName, type FusedTensorOf, fuse } from "./fuse.ts";
import type { ElementwiseName } from "./fused-expression.ts";
import type { Builder, Lowering } from "./lowering.ts";
import { portable } from "./portable.ts";

/** ggml calls a node's kernel once; the kernel itself calls others to help. */
const ONE_THREAD = 1;
/** Below this many elements read and written a second thread costs more than it saves. */
const SMALL = 8192;

/**
 * Fills in a kernel's arguments: `at` gives the address of a tensor once the graph is allocated; `own` is the new
 * node's.
 */
type Describe<K extends KernelName> = (at: (tensor: Pointer) => bigint, own: bigint) => KernelArguments<K>;

/** The lowering that uses the compiled kernels at `path`, their work shared by so many threads. */
export function cpu(path: string, threads: number): Lowering {
	const kernels = loadKernels(path);
	kernels.shareWork(threads);
	return {
		name: `cpu (${kernels.target})`,
		prepare: fuse,
		lower(tensor, builder) {
			const node = new NodeBuilder(kernels, builder, tensor);
			if (tensor instanceof Fused) return node.fused(tensor);
			const rule = tensor.dtype === "f32" ? (rules[tensor.op as keyof typeof rules] as CpuRule | undefined) : undefined;
			return rule ? rule(node) : portable.lower(tensor, builder);
		},
	};
}

/** One tensor being lowered to kernel calls. */
class NodeBuilder<T extends Tensor = Tensor> {
	readonly builder: Builder;
	readonly tensor: T;
	readonly kernels: Kernels;

	constructor(kernels: Kernels, builder: Builder, tensor: T) {
		this.kernels = kernels;
		this.builder = builder;
		this.tensor = tensor;
	}

	get shape(): Shape {
		return this.tensor.shape;
	}

	/** The lowered input `i`. */
	in(i: number): Pointer {
		return this.builder.of(this.tensor.inputs[i]!);
	}

	/** A node of `shape` that a kernel fills from `sources`. */
	call<K extends KernelName>(kernel: K, shape: Shape, sources: Pointer[], describe: Describe<K>): Pointer {
		const { ggml, context } = this.builder;
		const descriptor = new Descriptor(kernel);
		this.builder.onClose(() => descriptor.free());
		const elements = sources.reduce((total, source) => total + Number(ggml.nbytes(source)) / BYTES, sizeOf(shape));
		const address = elements < SMALL ? this.kernels.address(kernel) : this.kernels.parallel(kernel);
		const node = ggml.custom_4d(
			context,
			TYPE.f32,
			...ne(shape),
			sources,
			sources.length,
			address,
			ONE_THREAD,
			descriptor.address,
		);
		const at = (tensor: Pointer) => ggml.get_data(tensor);
		this.builder.onAllocated(() => descriptor.write(describe(at, at(node))));
		return node;
	}

	/** A dense part of another node, `offset` elements from its start. */
	view(of: Pointer, shape: Shape, offset: number): Pointer {
		const [a, b, c, d] = ne(shape);
		return this.builder.ggml.view_4d(
			this.builder.context,
			of,
			...([a, b, c, d] as const),
			...([a * BYTES, a * b * BYTES, a * b * c * BYTES] as const),
			offset * BYTES,
		);
	}

	fused({ expression, inputs, targets }: Fused): Pointer {
		const { ggml } = this.builder;
		const sources = inputs.map(this.builder.of);
		const results = targets.map(this.builder.of);
		const count = sizeOf(expression.shape);
		// In place there is no result to allocate; ggml still wants a tensor to schedule by.
		const shape = targets.length > 0 ? [1] : expression.shape;
		return this.call("fused", shape, sources, (at, own) => {
			const outputs = results.length > 0 ? results.map((result) => ggml.get_data(result)) : [own];
			const encoded = expression.encode(sources.map(at), outputs);
			const memory = koffi.alloc("uint8", encoded.length) as bigint;
			this.builder.onClose(() => koffi.free(memory));
			new Uint8Array(koffi.view(memory, encoded.length)).set(encoded);
			return { expression: memory, count };
		});
	}
}

type CpuRule<T extends Tensor = Tensor> = (node: NodeBuilder<T>) => Pointer;

/** Leaves are made by graph.ts, elementwise operations are gathered by fuse.ts, and two move nothing. */
type Elsewhere = "full" | ElementwiseName | "reshape" | "detach";

const rules: { readonly [Name in Exclude<OpName, Elsewhere>]: CpuRule<TensorOf<Name>> } & {
	readonly [Name in FusedName]: CpuRule<FusedTensorOf<Name>>;
} = {
	matmul(node) {
		const { transposeA, transposeB, bf16 } = node.tensor.attrs;
		const [a, b] = [node.in(0), node.in(1)];
		const [m, n] = [node.shape.at(-2)!, node.shape.at(-1)!];
		const k = node.tensor.inputs[0]!.dim(transposeA ? -2 : -1);
		const [batch = 1, heads = 1] =
			node.shape.length === 4 ? node.shape : [1, node.shape.length === 3 ? node.shape[0] : 1];
		const kernel = bf16 && node.kernels.has("sgemm_bf16") ? "sgemm_bf16" : "sgemm";
		return node.call(kernel, node.shape, [a, b], (at, c) => ({
			...{ a: at(a), b: at(b), c, batch, heads, m, n, k },
			...{ a_row: transposeA ? 1 : k, a_col: transposeA ? m : 1 },
			...{ b_row: transposeB ? 1 : n, b_col: transposeB ? k : 1, c_row: n },
			...{ a_batch: heads * m * k, a_head: m * k, b_batch: heads * k * n, b_head: k * n },
			...{ c_batch: heads * m * n, c_head: m * n },
		}));
	},

	rms_norm(node) {
		const [x, { rows, width }] = [node.in(0), rowsOf(node.shape)];
		const { eps } = node.tensor.attrs;
		return node.call("rms_norm", node.shape, [x], (at, y) => ({
			...{ x: at(x), y, rows, width, x_row: width, y_row: width, eps },
		}));
	},
	rms_norm_backward(node) {
		const [dy, x, { rows, width }] = [node.in(0), node.in(1), rowsOf(node.shape)];
		const { eps } = node.tensor.attrs;
		return node.call("rms_norm_back", node.shape, [x, dy], (at, dx) => ({
			...{ x: at(x), dy: at(dy), dx, rows, width, x_row: width, dy_row: width, dx_row: width, eps },
		}));
	},

	softmax(node) {
		const [x, { rows, width }] = [node.in(0), rowsOf(node.shape)];
		return node.call("softmax", node.shape, [x], (at, y) => ({
			...{ x: at(x), y, rows, width, x_row: width, y_row: width, scale: 1 },
		}));
	},

	rotary(node) {
		const { base, inverse } = node.tensor.attrs;
		const [batch, length, heads, width] = node.shape as [number, number, number, number];
		const half = width / 2;
		const table = (name: "cos" | "sin") =>
			node.builder.constant(`rotary ${name} ${length} ${half} ${base}`, [length, half], () =>
				Float32Array.from({ length: length * half }, (_, i) =>
					Math[name](Math.floor(i / half) / base ** ((i % half) / half)),
				),
			);
		const [x, cosine, sine] = [node.in(0), table("cos"), table("sin")];
		const tables = (at: (tensor: Pointer) => bigint) => ({ cosine: at(cosine), sine: at(sine) });
		const sizes = { batch, length, heads, half };
		if (inverse) {
			return node.call("rotary_back", node.shape, [x, cosine, sine], (at, dx) => ({
				...{ dy: at(x), dx, ...tables(at), ...sizes, ...strides("dy", node.shape), ...strides("dx", node.shape) },
			}));
		}
		return node.call("rotary", node.shape, [x, cosine, sine], (at, y) => ({
			...{ x: at(x), y, ...tables(at), ...sizes, ...strides("x", node.shape), ...strides("y", node.shape) },
		}));
	},

	attention(node) {
		return node.view(attend(node), node.shape, 0);
	},
	attention_backward(node) {
		const { of, ...attributes } = node.tensor.attrs;
		const inputs = node.tensor.inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
		const [q, k, v, , g] = inputs;
		const key = `attention gradients ${inputs.map(({ id }) => id)} ${JSON.stringify(attributes)}`;
		const all = node.builder.memo(key, () => {
			const packed = attend(node);
			const [at_q, at_k, at_v, dy] = [q, k, v, g].map(node.builder.of) as [Pointer, Pointer, Pointer, Pointer];
			return node.call("attention_back", [q.size + 2 * k.size], [at_q, at_k, at_v, packed, dy], (at, own) => ({
				...{ q: at(at_q), k: at(at_k), v: at(at_v), dy: at(dy) },
				lse: at(packed) + BigInt(q.size * BYTES),
				...{ dq: own, dk: own + BigInt(q.size * BYTES), dv: own + BigInt((q.size + k.size) * BYTES) },
				...attentionSizes(q, k, attributes),
				...{ ...strides("q", q.shape), ...strides("k", k.shape), ...strides("v", v.shape) },
				...{ ...strides("dy", q.shape), ...strides("dq", q.shape) },
				...{ ...strides("dk", k.shape), ...strides("dv", v.shape) },
			}));
		});
		return node.view(all, node.shape, [0, q.size, q.size + k.size][of]!);
	},

	cross_entropy(node) {
		const [rows, vocab] = node.tensor.inputs[0]!.shape as [number, number];
		const [z, targets] = [node.in(0), node.in(1)];
		return node.call("cross_entropy", [rows], [z, targets], (at, losses) => ({
			...{ z: at(z), targets: at(targets), losses, rows, vocab, z_row: vocab, dz_row: vocab },
			...{ weight: 1, softcap: node.tensor.attrs.softcap },
		}));
	},
	cross_entropy_backward(node) {
		const [rows, vocab] = node.shape as [number, number];
		const [z, targets, weights] = [node.in(0), node.in(1), node.in(2)];
		const packed = node.call("cross_entropy", [rows * vocab + rows], [z, targets, weights], (at, dz) => ({
			...{ z: at(z), targets: at(targets), weights: at(weights), dz, losses: dz + BigInt(rows * vocab * BYTES) },
			...{ rows, vocab, z_row: vocab, dz_row: vocab, weight: 1, softcap: node.tensor.attrs.softcap },
		}));
		return node.view(packed, node.shape, 0);
	},
	/** The weighted losses, with the logits' gradient left in the place of the logits (see fuse.ts). */
	cross_entropy_fused(node) {
		const [rows, vocab] = node.tensor.inputs[0]!.shape as [number, number];
		const { softcap, weight } = node.tensor.attrs;
		const [z, targets] = [node.in(0), node.in(1)];
		return node.call("cross_entropy", node.shape, [z, targets], (at, losses) => ({
			...{ z: at(z), targets: at(targets), losses, dz: at(z) },
			...{ rows, vocab, z_row: vocab, dz_row: vocab, weight, softcap },
		}));
	},
	/** What the first input's place holds once the second has been computed. */
	in_place_gradient: (node) => node.view(node.in(0), node.shape, 0),
	copy: (node) => copy(node, rowMajor(node.shape), 0),

	embedding(node) {
		const [rows, width] = node.shape as [number, number];
		const vocab = node.tensor.inputs[0]!.dim(0);
		const [table, ids] = [node.in(0), node.in(1)];
		return node.call("embedding", node.shape, [table, ids], (at, y) => ({
			...{ table: at(table), ids: at(ids), y, rows, width, vocab },
		}));
	},
	embedding_backward(node) {
		const [vocab, width] = node.shape as [number, number];
		const rows = node.tensor.inputs[0]!.dim(0);
		const [dy, ids] = [node.in(0), node.in(1)];
		return node.call("embedding_back", node.shape, [dy, ids], (at, dtable) => ({
			...{ dy: at(dy), ids: at(ids), dtable, rows, width, vocab },
		}));
	},

	sum_to(node) {
		const from = node.tensor.inputs[0]!.shape;
		let x = node.in(0);
		let shape = [...from];
		// One run of neighbouring dimensions at a time, from the last.
		for (let end = shape.length; end > 0; ) {
			const isSummed = (d: number) => node.shape[d] !== from[d];
			if (!isSummed(end - 1)) {
				end--;
				continue;
			}
			let start = end - 1;
			while (start > 0 && (isSummed(start - 1) || from[start - 1] === 1)) start--;
			const outer = sizeOf(shape.slice(0, start));
			const inner = sizeOf(shape.slice(end));
			const middle = sizeOf(shape.slice(start, end));
			shape = shape.map((n, d) => (d >= start && d < end ? 1 : n));
			x = sumMiddle(node, x, shape, outer, middle, inner);
			end = start;
		}
		return x;
	},

	permute(node) {
		const { dims } = node.tensor.attrs;
		const steps = rowMajor(node.tensor.inputs[0]!.shape);
		return copy(
			node,
			dims.map((d) => steps[d]!),
			0,
		);
	},
	slice(node) {
		const { dim, start } = node.tensor.attrs;
		const steps = rowMajor(node.tensor.inputs[0]!.shape);
		const offset = start * steps[dim]!;
		const isDense = sizeOf(node.shape.slice(0, dim)) === 1;
		return isDense ? node.view(node.in(0), node.shape, offset) : copy(node, steps, offset);
	},
	concat(node) {
		const { dim } = node.tensor.attrs;
		const inputs = node.tensor.inputs.map(node.builder.of);
		return fill(
			node,
			dim,
			node.tensor.inputs.map(({ shape }, i) => ({ length: shape[dim]!, from: inputs[i]! })),
		);
	},
	pad(node) {
		const { dim, before, after } = node.tensor.attrs;
		const zero = node.builder.constant("zero", [1], () => new Float32Array(1));
		const parts = [
			{ length: before, from: zero, repeat: true },
			{ length: node.tensor.inputs[0]!.shape[dim]!, from: node.in(0) },
			{ length: after, from: zero, repeat: true },
		];
		return fill(
			node,
			dim,
			parts.filter(({ length }) => length > 0),
		);
	},
};

/** Attention's output [B, T, H, D] and behind it each row's log-sum-exp [B, H, T], which the backward pass needs. */
function attend(node: NodeBuilder<TensorOf<"attention" | "attention_backward">>): Pointer {
	const { causal, window, scale } = node.tensor.attrs;
	const [q, k, v] = node.tensor.inputs as [Tensor, Tensor, Tensor];
	const [B, T, H] = q.shape as [number, number, number];
	return node.builder.memo(`attention ${q.id} ${k.id} ${v.id} ${causal} ${window} ${scale}`, () => {
		const [at_q, at_k, at_v] = [node.in(0), node.in(1), node.in(2)];
		return node.call("attention", [q.size + B * H * T], [at_q, at_k, at_v], (at, y) => ({
			...{ q: at(at_q), k: at(at_k), v: at(at_v), y, lse: y + BigInt(q.size * BYTES) },
			...attentionSizes(q, k, { causal, window, scale }),
			...{ ...strides("q", q.shape), ...strides("k", k.shape), ...strides("v", k.shape), ...strides("y", q.shape) },
		}));
	});
}

function attentionSizes(q: Tensor, k: Tensor, { causal, window, scale }: AttentionAttributes) {
	const [batch, length, heads, head_dim] = q.shape as [number, number, number, number];
	return { batch, length, heads, kv_heads: k.dim(2), head_dim, causal: causal ? 1 : 0, window, scale };
}

/** Element strides of a dense [batch, time, head, width] array, under the names a kernel gives them. */
function strides<Name extends string>(name: Name, [, T, H, D]: Shape) {
	const sizes = { [`${name}_batch`]: T! * H! * D!, [`${name}_time`]: H! * D!, [`${name}_head`]: D! };
	return sizes as Record<`${Name}_${"batch" | "time" | "head"}`, number>;
}

function rowsOf(shape: Shape): { rows: number; width: number } {
	const width = shape.at(-1)!;
	return { rows: sizeOf(shape) / width, width };
}

function rowMajor(shape: Shape): number[] {
	return shape.map((_, d) => sizeOf(shape.slice(d + 1)));
}

function sumMiddle(node: NodeBuilder, x: Pointer, shape: Shape, outer: number, middle: number, inner: number): Pointer {
	const once = (from: Pointer, shape: Shape, outer: number, middle: number, inner: number) =>
		node.call("sum", shape, [from], (at, y) => ({ x: at(from), y, outer, middle, inner, scale: 1 }));
	// A long sum is cut into parts, so that every thread has some.
	const parts = inner === 1 && outer < 64 ? divisorNear(middle, Math.sqrt(middle)) : 1;
	if (parts === 1) return once(x, shape, outer, middle, inner);
	return once(once(x, [outer * parts], outer * parts, middle / parts, 1), shape, outer, parts, 1);
}

/** The divisor of n nearest to `wanted` from below. */
function divisorNear(n: number, wanted: number): number {
	for (let divisor = Math.floor(wanted); divisor > 1; divisor--) if (n % divisor === 0) return divisor;
	return 1;
}

/** A dense copy of the first input, read by `steps` from `offset` on. */
function copy(node: NodeBuilder, steps: readonly number[], offset: number): Pointer {
	const x = node.in(0);
	const sizes = copySizes(node.shape, steps, rowMajor(node.shape));
	return node.call("copy", node.shape, [x], (at, y) => ({ x: at(x) + BigInt(offset * BYTES), y, ...sizes }));
}

interface Part {
	length: number;
	from: Pointer;
	/** `from` is one element that fills the part. */
	repeat?: boolean;
}

/** A tensor made of parts along `dim`, each copied to its place. */
function fill(node: NodeBuilder, dim: number, parts: Part[]): Pointer {
	const { ggml, context } = node.builder;
	const steps = rowMajor(node.shape);
	let offset = 0;
	let whole: Pointer | undefined;
	for (const { length, from, repeat } of parts) {
		const shape = node.shape.with(dim, length);
		const sizes = copySizes(shape, repeat ? shape.map(() => 0) : rowMajor(shape), steps);
		const place = BigInt(offset * steps[dim]! * BYTES);
		const sources = whole ? [from, whole] : [from];
		const target = whole;
		const written = node.call("copy", whole ? [1] : node.shape, sources, (at, own) => ({
			...{ x: at(from), y: (target ? at(target) : own) + place, ...sizes },
		}));
		node.builder.schedule(written);
		whole ??= written;
		offset += length;
	}
	return ggml.reshape_4d(context, whole!, ...ne(node.shape));
}

function copySizes(shape: Shape, from: readonly number[], to: readonly number[]) {
	const pad = (values: readonly number[], fill: number) => [...Array<number>(4 - values.length).fill(fill), ...values];
	const [n0, n1, n2, n3] = pad(shape, 1) as [number, number, number, number];
	const [x0, x1, x2, x3] = pad(from, 0) as [number, number, number, number];
	const [y0, y1, y2, y3] = pad(to, 0) as [number, number, number, number];
	return { n0, n1, n2, n3, x0, x1, x2, x3, y0, y1, y2, y3 };
}
