/**
 * How fast the CPU kernels are, one by one, at the sizes of real training runs, and what ggml's own operations take for
 * the same. Ours and ggml's run in turn, in the same pool of threads.
 *
 *     node bench/trainer/kernels.ts [--threads 2] ["256 4 2 256 16 2048" ...]     D L H T B V, as in bench:trainer
 */
import { parseArgs } from "node:util";
import koffi from "koffi";
import { ensureKernels } from "../../trainer/tensor/cpu/build.ts";
import { Descriptor, type KernelArguments, type KernelName } from "../../trainer/tensor/cpu/descriptor.ts";
import { type Kernels, loadKernels } from "../../trainer/tensor/cpu/load.ts";
import { measurePeak } from "../../trainer/tensor/cpu/peak.ts";
import { configure, type Device } from "../../trainer/tensor/device/device.ts";
import { type Pointer, ROPE_NEOX, TYPE } from "../../trainer/tensor/ggml.ts";
import { add, div, input, mul, relu, silu, sqrt, square, sub, type Tensor, tanh } from "../../trainer/tensor/index.ts";
import { FusedExpression } from "../../trainer/tensor/lower/fused-expression.ts";

const CONFIGURATIONS = ["256 4 2 256 16 2048", "256 4 2 256 16 8192", "128 4 2 128 16 1024", "192 6 6 256 8 4096"];
const ROUNDS = 15;
/** Nodes of a graph that is run to time one operation. */
const MAX_NODES = 64;

/** What one operation does, for its rate. */
type Work = { flops: number } | { bytes: number };

/** A ggml context and the arrays in it, freed together after each configuration. */
class KernelBench {
	readonly device: Device;
	readonly #kernels: Kernels;
	readonly #context: Pointer;
	readonly #timings: { name: string; work: Work; ours: Pointer; theirs: Pointer | undefined }[] = [];
	readonly #describe: (() => void)[] = [];
	readonly #free: (() => void)[] = [];
	readonly #fill: (() => void)[] = [];

	constructor(device: Device, kernels: Kernels) {
		this.device = device;
		this.#kernels = kernels;
		this.#context = device.ggml.init({ mem_size: 256 * 1024 * 1024, mem_buffer: null, no_alloc: true });
	}

	/** An array of row-major shape, filled with `value(i)`; ids when they are to be integers below `ids`. */
	array(shape: readonly number[], ids = 0): Pointer {
		const ne = [...shape].reverse();
		const [a, b = 1, c = 1, d = 1] = ne as [number, number?, number?, number?];
		const tensor = this.device.ggml.new_tensor_4d(this.#context, ids > 0 ? TYPE.i32 : TYPE.f32, a, b, c, d);
		const count = shape.reduce((x, y) => x * y);
		this.#fill.push(() => {
			const values = ids > 0 ? new Int32Array(count) : new Float32Array(count);
			for (let i = 0; i < count; i++) {
				const noise = ((i * 2654435761) % 4294967296) / 4294967296;
				values[i] = ids > 0 ? Math.floor(noise * ids) : 2 * noise - 1;
			}
			this.device.ggml.backend_tensor_set(tensor, values, 0, values.byteLength);
		});
		return tensor;
	}

	/** Times a kernel on arrays, whose addresses `describe` is given, beside ggml's way to the same. */
	time<K extends KernelName>(
		name: string,
		work: Work,
		kernel: K,
		arrays: Pointer[],
		describe: (...addresses: bigint[]) => KernelArguments<K>,
		theirs?: (ggml: Device["ggml"], context: Pointer) => Pointer,
	): void {
		const { ggml } = this.device;
		const descriptor = new Descriptor(kernel);
		this.#free.push(() => descriptor.free());
		const ours = ggml.custom_4d(
			this.#context,
			TYPE.f32,
			...[1, 1, 1, 1],
			arrays,
			arrays.length,
			this.#kernels.address(kernel) as unknown as Pointer,
			-1,
			descriptor.address as unknown as Pointer,
		);
		this.#describe.push(() =>
			descriptor.write(describe(...arrays.map((array) => koffi.address(ggml.get_data(array))))),
		);
		this.#timings.push({ name, work, ours, theirs: theirs?.(ggml, this.#context) });
	}

	/** Times a fused expression: the array each leaf stands for, and where each root goes. */
	fused(
		name: string,
		work: Work,
		roots: Tensor[],
		leaves: Map<Tensor, Pointer>,
		outputs: Pointer[],
		theirs?: (ggml: Device["ggml"], context: Pointer) => Pointer,
	): void {
		const expression = new FusedExpression(roots, (tensor) => tensor.inputs.length > 0);
		const inputs = expression.inputs.map((leaf) => leaves.get(leaf)!);
		this.time(
			name,
			work,
			"fused",
			[...inputs, ...outputs],
			(...addresses) => {
				const encoded = expression.encode(addresses.slice(0, inputs.length), addresses.slice(inputs.length));
				this.#free.push(() => encoded.fill(0)); // keeps it alive until then
				return { expression: koffi.address(encoded), count: roots[0]!.size };
			},
			theirs,
		);
	}

	/** Runs everything and prints a line an operation. */
	run(peak: number): void {
		const { ggml, backend } = this.device;
		const graphs = this.#timings.map(({ ours, theirs }) => [this.#graph(ours), theirs && this.#graph(theirs)] as const);
		const buffer = ggml.backend_alloc_ctx_tensors(this.#context, backend);
		if (!buffer) throw new Error("out of memory");
		for (const fill of this.#fill) fill();
		for (const describe of this.#describe) describe();
		this.#timings.forEach(({ name, work }, i) => {
			const [ours, theirs] = graphs[i]!;
			const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
			for (let round = 0; round < ROUNDS; round++) {
				[ours, theirs].forEach((graph, side) => {
					if (!graph) return;
					const start = performance.now();
					ggml.backend_graph_compute(backend, graph);
					best[side] = Math.min(best[side]!, performance.now() - start);
				});
			}
			console.log(line(name, work, best[0]!, theirs ? best[1] : undefined, peak));
		});
		ggml.backend_buffer_free(buffer);
		ggml.free(this.#context);
		for (const free of this.#free) free();
	}

	#graph(node: Pointer): Pointer {
		const graph = this.device.ggml.new_graph_custom(this.#context, MAX_NODES, false);
		this.device.ggml.build_forward_expand(graph, node);
		return graph;
	}
}

function line(name: string, work: Work, ours: number, theirs: number | undefined, peak: number): string {
	const rate =
		"flops" in work
			? `${(work.flops / ours / 1e6).toFixed(1)} GFLOPS ${((work.flops / ours / 1e6 / peak) * 100).toFixed(0)}%`
			: `${(work.bytes / ours / 1e6).toFixed(1)} GB/s`;
	const against = theirs === undefined ? "" : `${theirs.toFixed(3).padStart(9)} ms  ${(theirs / ours).toFixed(1)}x`;
	return `${name.padEnd(34)}${ours.toFixed(3).padStart(9)} ms ${rate.padStart(18)}${against}`;
}

/** c[m, n] = a b with either side stored transposed. */
function product(m: number, n: number, k: number, transposed: { a?: boolean; b?: boolean }) {
	return (a: bigint, b: bigint, c: bigint): KernelArguments<"sgemm"> => ({
		...{ a, b, c, batch: 1, heads: 1, m, n, k },
		...{ a_row: transposed.a ? 1 : k, a_col: transposed.a ? m : 1 },
		...{ b_row: transposed.b ? 1 : n, b_col: transposed.b ? k : 1, c_row: n },
		...{ a_batch: 0, a_head: 0, b_batch: 0, b_head: 0, c_batch: 0, c_head: 0 },
	});
}

function measure(configuration: string, device: Device, kernels: Kernels, peak: number): void {
	const [D, , H, T, B, V] = configuration.split(" ").map(Number) as [number, number, number, number, number, number];
	const [N, W, F] = [B * T, D / H, 4 * D]; // rows, width of a head, hidden width of the MLP
	const bench = new KernelBench(device, kernels);
	const [x, dx, hidden, dHidden] = [bench.array([N, D]), bench.array([N, D]), bench.array([N, F]), bench.array([N, F])];
	const [up, dUp, weight, embedding] = [
		bench.array([F, D]),
		bench.array([F, D]),
		bench.array([D, D]),
		bench.array([V, D]),
	];
	const logits = bench.array([N, V]);

	console.log(`\n${"D L H T B V: ".padEnd(14)}${configuration.padEnd(24)}ours${" ".repeat(23)}ggml`);
	const gemm = (m: number, n: number, k: number) => ({ flops: 2 * m * n * k });
	bench.time(
		"linear [N, D] -> [N, 4D]",
		gemm(N, F, D),
		"sgemm",
		[x, up, hidden],
		product(N, F, D, { b: true }),
		(g, c) => g.mul_mat(c, up, x),
	);
	bench.time(
		"linear [N, D] -> [N, D]",
		gemm(N, D, D),
		"sgemm",
		[x, weight, dx],
		product(N, D, D, { b: true }),
		(g, c) => g.mul_mat(c, weight, x),
	);
	bench.time("its dx [N, 4D] -> [N, D]", gemm(N, D, F), "sgemm", [hidden, up, dx], product(N, D, F, {}), (g, c) =>
		g.mul_mat(c, g.cont(c, g.transpose(c, up)), hidden),
	);
	bench.time("its dW [4D, D]", gemm(F, D, N), "sgemm", [hidden, x, dUp], product(F, D, N, { a: true }), (g, c) =>
		g.out_prod(c, x, hidden),
	);
	bench.time(
		"head [N, D] -> [N, V]",
		gemm(N, V, D),
		"sgemm",
		[x, embedding, logits],
		product(N, V, D, { b: true }),
		(g, c) => g.mul_mat(c, embedding, x),
	);
	bench.time("its dx [N, V] -> [N, D]", gemm(N, D, V), "sgemm", [logits, embedding, dx], product(N, D, V, {}));
	bench.time("its dW [V, D]", gemm(V, D, N), "sgemm", [logits, x, embedding], product(V, D, N, { a: true }));
	if (kernels.has("sgemm_bf16")) {
		const bf16 = "sgemm_bf16";
		bench.time("bf16 linear [N, D] -> [N, 4D]", gemm(N, F, D), bf16, [x, up, hidden], product(N, F, D, { b: true }));
		bench.time("bf16 its dx [N, 4D] -> [N, D]", gemm(N, D, F), bf16, [hidden, up, dx], product(N, D, F, {}));
		bench.time("bf16 its dW [4D, D]", gemm(F, D, N), bf16, [hidden, x, dUp], product(F, D, N, { a: true }));
	}
	bench.time("Newton-Schulz X X' [D, D]", gemm(D, D, F), "sgemm", [up, up, weight], product(D, D, F, { a: true }));

	const heads = (name: string) => ({ [`${name}_batch`]: T * D, [`${name}_time`]: D, [`${name}_head`]: W });
	const attention = {
		...{ batch: B, length: T, heads: H, kv_heads: H, head_dim: W, causal: 1, window: 0, scale: 1 / Math.sqrt(W) },
		...(heads("q") as Record<"q_batch" | "q_time" | "q_head", number>),
		...(heads("k") as Record<"k_batch" | "k_time" | "k_head", number>),
		...(heads("v") as Record<"v_batch" | "v_time" | "v_head", number>),
	};
	const [q, k, v, y] = [0, 0, 0, 0].map(() => bench.array([B, T, H, W])) as [Pointer, Pointer, Pointer, Pointer];
	const [dq, dk, dv] = [0, 0, 0].map(() => bench.array([B, T, H, W])) as [Pointer, Pointer, Pointer];
	const [lse, mask] = [bench.array([B, H, T]), bench.array([T, T])];
	const seen = (B * H * W * T * (T + 1)) / 2; // products in one of attention's two matrix products
	bench.time(
		"attention, causal",
		{ flops: 4 * seen },
		"attention",
		[q, k, v, y, lse],
		(q, k, v, y, lse) => ({
			...{ ...attention, q, k, v, y, lse },
			...(heads("y") as Record<"y_batch" | "y_time" | "y_head", number>),
		}),
		(g, c) => {
			const byHead = (z: Pointer) => g.cont(c, g.permute(c, z, 0, 2, 1, 3));
			const scores = g.mul_mat(c, byHead(k), byHead(q));
			const p = g.soft_max_ext(c, scores, mask, attention.scale, 0);
			const values = g.cont(c, g.permute(c, v, 1, 2, 0, 3));
			return g.cont(c, g.permute(c, g.mul_mat(c, values, p), 0, 2, 1, 3));
		},
	);
	bench.time(
		"attention, backward",
		{ flops: 10 * seen },
		"attention_back",
		[q, k, v, lse, y, dq, dk, dv],
		(q, k, v, lse, dy, dq, dk, dv) => ({
			...{ ...attention, q, k, v, lse, dy, dq, dk, dv },
			...(heads("dy") as Record<"dy_batch" | "dy_time" | "dy_head", number>),
			...(heads("dq") as Record<"dq_batch" | "dq_time" | "dq_head", number>),
			...(heads("dk") as Record<"dk_batch" | "dk_time" | "dk_head", number>),
			...(heads("dv") as Record<"dv_batch" | "dv_time" | "dv_head", number>),
		}),
	);

	const [targets, losses] = [bench.array([N], V), bench.array([N])];
	const passes = (n: number, elements: number) => ({ bytes: 4 * n * elements });
	bench.time(
		"cross-entropy and gradient, softcap",
		passes(2, N * V),
		"cross_entropy",
		[logits, targets, losses],
		(z, targets, losses) => ({
			...{ z, targets, losses, dz: z, rows: N, vocab: V, z_row: V, dz_row: V, weight: 1 / N, softcap: 15 },
		}),
	);
	const rows = { rows: N, width: D, x_row: D };
	const eps = 1e-6;
	bench.time(
		"softmax [N, V]",
		passes(2, N * V),
		"softmax",
		[logits],
		(x) => ({
			...{ x, y: x, rows: N, width: V, x_row: V, y_row: V, scale: 1 },
		}),
		(g, c) => g.soft_max(c, logits),
	);
	bench.time(
		"RMS norm",
		passes(2, N * D),
		"rms_norm",
		[x, dx],
		(x, y) => ({ ...rows, x, y, y_row: D, eps }),
		(g, c) => g.rms_norm(c, x, eps),
	);
	bench.time(
		"RMS norm, backward",
		passes(3, N * D),
		"rms_norm_back",
		[x, q, dx],
		(x, dy, dx) => ({ ...rows, x, dy, dx, dy_row: D, dx_row: D, eps }),
		(g, c) => g.rms_norm_back(c, g.reshape_4d(c, q, D, N, 1, 1), x, eps),
	);
	const [column, bias] = [bench.array([N, 1]), bench.array([D])];
	const [cosine, sine, positions] = [bench.array([T, W / 2]), bench.array([T, W / 2]), bench.array([T], T)];
	bench.time(
		"rotary",
		passes(2, N * D),
		"rotary",
		[q, cosine, sine, y],
		(x, cosine, sine, y) => ({
			...{ x, cosine, sine, y, batch: B, length: T, heads: H, half: W / 2 },
			...{ x_batch: T * D, x_time: D, x_head: W, y_batch: T * D, y_time: D, y_head: W },
		}),
		(g, c) => g.rope_ext(c, q, positions, null, W, ROPE_NEOX, 0, 10_000, -1, 0, 1, 0, 0),
	);
	const [h, z, c] = [input("h", [N, F]), input("z", [N, D]), input("c", [N, 1])];
	const flat = new Map([
		[h, hidden],
		[z, x],
		[c, column],
	]);
	bench.fused("relu(x)^2", passes(2, N * F), [square(relu(h))], flat, [dHidden], (g, c) => g.sqr(c, g.relu(c, hidden)));
	bench.fused("tanh", passes(2, N * F), [tanh(h)], flat, [dHidden], (g, c) => g.tanh(c, hidden));
	bench.fused("silu", passes(2, N * F), [silu(h)], flat, [dHidden], (g, c) => g.silu(c, hidden));
	bench.fused("mul by a column [N, 1]", passes(2, N * D), [mul(z, c)], flat, [dx], (g, c) => g.mul(c, x, column));
	bench.time(
		"bias gradient: sum of columns",
		passes(1, N * D),
		"sum",
		[x, bias],
		(x, y) => ({
			...{ x, y, outer: 1, middle: N, inner: D, scale: 1 },
		}),
		(g, c) => g.sum_rows(c, g.cont(c, g.transpose(c, x))),
	);
	bench.time(
		"transpose [N, 4D]",
		passes(2, N * F),
		"copy",
		[hidden, dHidden],
		(x, y) => ({
			...{ x, y, n0: 1, n1: 1, n2: F, n3: N, x0: 0, x1: 0, x2: 1, x3: F, y0: 0, y1: 0, y2: N, y3: 1 },
		}),
		(g, c) => g.cont(c, g.transpose(c, hidden)),
	);
	bench.time(
		"permute [B, T, H, W] -> [B, H, T, W]",
		passes(2, N * D),
		"copy",
		[q, y],
		(x, y) => ({
			...{ x, y, n0: B, n1: H, n2: T, n3: W, x0: T * D, x1: W, x2: D, x3: 1, y0: T * D, y1: T * W, y2: W, y3: 1 },
		}),
		(g, c) => g.cont(c, g.permute(c, q, 0, 2, 1, 3)),
	);
	const ids = bench.array([N], V);
	bench.time(
		"embedding",
		passes(2, N * D),
		"embedding",
		[embedding, ids, x],
		(table, ids, y) => ({
			...{ table, ids, y, rows: N, width: D, vocab: V },
		}),
		(g, c) => g.get_rows(c, embedding, ids),
	);
	bench.time(
		"embedding, backward",
		passes(3, N * D),
		"embedding_back",
		[x, ids, embedding],
		(dy, ids, dtable) => ({
			...{ dy, ids, dtable, rows: N, width: D, vocab: V },
		}),
		(g, c) => g.get_rows_back(c, x, ids, embedding),
	);
	const [w, g, m, v2] = ["w", "g", "m", "v"].map((name) => input(name, [V, D])) as [Tensor, Tensor, Tensor, Tensor];
	const state = [embedding, ...[1, 2, 3].map(() => bench.array([V, D]))];
	const mean = add(mul(m, 0.9), mul(g, 0.1));
	const variance = add(mul(v2, 0.95), mul(square(g), 0.05));
	const stepped = sub(mul(w, 0.999), mul(div(mean, add(sqrt(variance), 1e-8)), 0.01));
	const where = new Map([w, g, m, v2].map((tensor, i) => [tensor, state[i]!]));
	bench.fused("AdamW of [V, D]", passes(7, V * D), [stepped, mean, variance], where, [state[0]!, state[2]!, state[3]!]);
	bench.run(peak);
}

const { values, positionals } = parseArgs({
	options: { threads: { type: "string", default: "2" } },
	allowPositionals: true,
});
const threads = Number(values.threads);
const build = await ensureKernels();
if (!build.ok) throw new Error(build.reason);
const kernels = loadKernels(build.path);
const device = configure({ threads });
const peak = await measurePeak(kernels, threads);
console.log(`${device.description}, ${threads} threads, ${kernels.target}: ${peak.toFixed(0)} GFLOPS in registers`);
for (const configuration of positionals.length > 0 ? positionals : CONFIGURATIONS)
	measure(configuration, device, kernels, peak);
