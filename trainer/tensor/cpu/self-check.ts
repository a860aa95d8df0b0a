/**
 * Refuses a build of the kernels that computes wrongly: a few results and gradients, on sizes with tails, against plain
 * TypeScript arithmetic in double precision. build.ts runs this file as a program, in a process of its own, on every
 * new build; so a build that ends with an illegal instruction is refused like one that computes wrongly.
 *
 *     node self-check.ts PATH      exit 0: good; exit 1: what is wrong on standard output. A library that cannot be
 *                                  loaded is no result: the reason is on standard error.
 */
import koffi from "koffi";
import { type Kernels, loadKernels } from "./load.ts";

/** Gradients may differ from central differences by this much; a wrong sign or a lost term is off by far more. */
const TOLERANCE = 2e-5;

/** Fixed numbers in (-1, 1) without a pattern. */
function numbers(count: number, seed: number): Float32Array {
	return Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));
}

const address = (array: Float32Array | Int32Array): bigint => koffi.address(array);

function expect(what: string, actual: Float32Array, expected: ArrayLike<number>, tolerance = TOLERANCE): void {
	for (let i = 0; i < expected.length; i++) {
		const [got, want] = [actual[i]!, expected[i]!];
		const close = Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want));
		if (!close && !Object.is(got, want)) throw new Error(`${what}: element ${i} is ${got}, not ${want}`);
	}
}

/** The gradient of sum(weight * f(x)) by central differences in double precision. */
function differences(x: Float32Array, weight: Float32Array, f: (x: Float64Array) => ArrayLike<number>): Float64Array {
	const at = Float64Array.from(x);
	const value = () => Array.from(f(at)).reduce((total, y, i) => total + y * weight[i]!, 0);
	return at.map((original, i) => {
		at[i] = original + 1e-4;
		const above = value();
		at[i] = original - 1e-4;
		const below = value();
		at[i] = original;
		return (above - below) / 2e-4;
	});
}

function checkProducts(kernels: Kernels): void {
	const [m, n, k] = [29, 45, 331]; // more than one block of k, and tails of every kind
	const a = numbers(m * k, 1);
	const b = numbers(k * n, 2);
	for (const [aTransposed, bTransposed] of [
		[false, false],
		[true, false],
		[false, true],
		[true, true],
	] as const) {
		const expected = new Float64Array(m * n);
		for (let i = 0; i < m; i++)
			for (let j = 0; j < n; j++)
				for (let p = 0; p < k; p++)
					expected[i * n + j]! += a[aTransposed ? p * m + i : i * k + p]! * b[bTransposed ? j * k + p : p * n + j]!;
		const c = new Float32Array(m * n);
		kernels.run("sgemm", {
			...{ a: address(a), b: address(b), c: address(c), batch: 1, heads: 1, m, n, k },
			...{ a_row: aTransposed ? 1 : k, a_col: aTransposed ? m : 1 },
			...{ b_row: bTransposed ? 1 : n, b_col: bTransposed ? k : 1, c_row: n },
			...{ a_batch: 0, a_head: 0, b_batch: 0, b_head: 0, c_batch: 0, c_head: 0 },
		});
		expect(`sgemm (${aTransposed ? "a'" : "a"} ${bTransposed ? "b'" : "b"})`, c, expected);
	}
}

/** What `fused` calls these, by position in its `enum class Operation`. */
const FUNCTIONS: readonly [name: string, operation: bigint, f: (x: number) => number][] = [
	["exp", 8n, Math.exp],
	["log", 9n, Math.log],
	["sigmoid", 11n, (x) => 1 / (1 + Math.exp(-x))],
	["tanh", 17n, Math.tanh],
];

function checkFunctions(kernels: Kernels): void {
	const x = Float32Array.from([...numbers(20, 3).map((v) => v * 20), 0, 1e-6, 100, -100, Infinity, -Infinity, NaN]);
	for (const [name, operation, f] of FUNCTIONS) {
		const y = new Float32Array(x.length);
		// One dense input, one output, one instruction: the structures of `fused`, as words.
		const head = [1n, 1n, 1n, 1n, 1n, 1n, 1n, BigInt(x.length)];
		const input = [address(x), 0n, 0n, 0n, 0n, 0n];
		const expression = BigInt64Array.from([...head, ...input, address(y), 1n, operation, 0n, 0n, 0n, 0n, 0n]);
		kernels.run("fused", { expression: koffi.address(expression), count: x.length });
		expect(name, y, Float32Array.from(x, f), 1e-6);
	}
}

function checkNorm(kernels: Kernels): void {
	const [rows, width, eps] = [3, 21, 1e-6];
	const [x, dy, dx] = [numbers(rows * width, 4), numbers(rows * width, 5), new Float32Array(rows * width)];
	const row = { x_row: width, dy_row: width, dx_row: width };
	kernels.run("rms_norm_back", { x: address(x), dy: address(dy), dx: address(dx), rows, width, ...row, eps });
	const norm = (v: Float64Array) =>
		v.map((element, i) => {
			const start = i - (i % width);
			const squares = v.subarray(start, start + width).reduce((total, e) => total + e * e, 0);
			return element / Math.sqrt(squares / width + eps);
		});
	expect("rms_norm_back", dx, differences(x, dy, norm));
}

function checkCrossEntropy(kernels: Kernels): void {
	const [rows, vocab, softcap] = [3, 37, 5];
	const z = numbers(rows * vocab, 6).map((v) => v * 8);
	const [targets, weights] = [Int32Array.from([0, 36, 17]), numbers(rows, 7)];
	const [losses, dz] = [new Float32Array(rows), new Float32Array(rows * vocab)];
	kernels.run("cross_entropy", {
		...{ z: address(z), targets: address(targets), losses: address(losses), dz: address(dz) },
		...{ rows, vocab, z_row: vocab, dz_row: vocab, weight: 1, softcap },
	});
	const forward = (v: Float64Array) =>
		Array.from(targets, (target, r) => {
			const u = v.subarray(r * vocab, (r + 1) * vocab).map((e) => softcap * Math.tanh(e / softcap));
			return Math.log(u.reduce((total, e) => total + Math.exp(e), 0)) - u[target]!;
		});
	expect("cross_entropy", losses, forward(Float64Array.from(z)));
	expect("cross_entropy, gradient", dz, differences(z, weights.fill(1), forward));
}

function checkAttention(kernels: Kernels): void {
	const [length, dim, scale, window] = [37, 5, 0.7, 20];
	const size = length * dim;
	const forward = (q: ArrayLike<number>, k: ArrayLike<number>, v: ArrayLike<number>) => {
		const y = new Float64Array(size);
		for (let t = 0; t < length; t++) {
			const scores: number[] = [];
			for (let j = 0; j <= t; j++) {
				let dot = 0;
				for (let i = 0; i < dim; i++) dot += q[t * dim + i]! * k[j * dim + i]!;
				scores.push(j > t - window ? Math.exp(dot * scale) : 0);
			}
			const total = scores.reduce((a, b) => a + b, 0);
			for (let j = 0; j <= t; j++)
				for (let i = 0; i < dim; i++) y[t * dim + i]! += (scores[j]! / total) * v[j * dim + i]!;
		}
		return y;
	};
	const [q, k, v, dy] = [numbers(size, 8), numbers(size, 9), numbers(size, 10), numbers(size, 11)];
	const [y, dq, dk, dv] = [0, 0, 0, 0].map(() => new Float32Array(size)) as [
		Float32Array,
		Float32Array,
		Float32Array,
		Float32Array,
	];
	const lse = new Float32Array(length);
	const stride = <N extends string>(name: N) =>
		({ [`${name}_batch`]: size, [`${name}_time`]: dim, [`${name}_head`]: dim }) as Record<
			`${N}_${"batch" | "time" | "head"}`,
			number
		>;
	const shared = {
		...{ q: address(q), k: address(k), v: address(v), lse: address(lse) },
		...{ batch: 1, length, heads: 1, kv_heads: 1, head_dim: dim, causal: 1, window, scale },
		...{ ...stride("q"), ...stride("k"), ...stride("v") },
	};
	kernels.run("attention", { ...shared, y: address(y), ...stride("y") });
	expect("attention", y, forward(q, k, v));
	kernels.run("attention_back", {
		...{ ...shared, dy: address(dy), dq: address(dq), dk: address(dk), dv: address(dv) },
		...{ ...stride("dy"), ...stride("dq"), ...stride("dk"), ...stride("dv") },
	});
	expect(
		"attention_back, dq",
		dq,
		differences(q, dy, (x) => forward(x, k, v)),
	);
	expect(
		"attention_back, dk",
		dk,
		differences(k, dy, (x) => forward(q, x, v)),
	);
	expect(
		"attention_back, dv",
		dv,
		differences(v, dy, (x) => forward(q, k, x)),
	);
}

/** @throws Error that names the first kernel whose result is wrong, with the element and both values. */
function selfCheck(kernels: Kernels): void {
	checkProducts(kernels);
	checkFunctions(kernels);
	checkNorm(kernels);
	checkCrossEntropy(kernels);
	checkAttention(kernels);
}

if (import.meta.main) {
	const kernels = loadKernels(process.argv[2]!);
	try {
		selfCheck(kernels);
	} catch (error) {
		process.stdout.write((error as Error).message);
		process.exitCode = 1;
	}
}
