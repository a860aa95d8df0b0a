/**
 * How fast a device trains one size of GPT, and what share that is of its own matrix product.
 *
 *     node scripts/check-gpu/throughput.ts cuda:0 '[128,4,4,256,8,4096]'
 */
import { median } from "../../bench/statistics.ts";
import type { DeviceName } from "../../trainer/tensor/device/name.ts";
import * as t from "../../trainer/tensor/index.ts";

export interface Throughput {
	size: number[];
	parameters: number;
	tokensPerSecond: number;
	/** Median of the timed steps. */
	milliseconds: number;
	/** GFLOPS of a large matrix product on this device. */
	peakGflops: number;
	/** Arithmetic of the steps over what the matrix product's rate would do in their time. */
	ofPeak: number;
	forecastMb: number;
	/** By what the device's free memory became less; 0 where the driver does not tell. */
	usedMb: number;
}

const STEPS = 5;
const device = t.configure({ device: process.argv[2] as DeviceName });
const size = JSON.parse(process.argv[3]!) as [number, number, number, number, number, number];
const [D, L, H, T, B, V] = size;

const before = device.freeMemory();
const random = t.seeded(0);
const matrix = (name: string, out: number, width: number) =>
	t.parameter(name, t.uniform([out, width], 1 / Math.sqrt(width), random));

function model(tokens: t.Tensor): t.Tensor {
	let x = t.rmsNorm(t.embedding(tokens, t.parameter("embedding", t.normal([V, D], 1, random)))); // [B, T, D]
	for (let i = 0; i < L; i++) {
		const h = t.rmsNorm(x);
		const [q, k, v] = ["q", "k", "v"].map((name) =>
			t.linear(h, matrix(`${name}${i}`, D, D)).reshape([B, T, H, D / H]),
		) as [t.Tensor, t.Tensor, t.Tensor];
		const y = t.attention(t.rmsNorm(t.rotary(q)), t.rmsNorm(t.rotary(k)), v).reshape([B, T, D]);
		x = x.add(t.linear(y, matrix(`p${i}`, D, D)));
		x = x.add(
			t.linear(t.relu(t.linear(t.rmsNorm(x), matrix(`up${i}`, 4 * D, D))).square(), matrix(`down${i}`, D, 4 * D)),
		);
	}
	return t.linear(t.rmsNorm(x), matrix("head", V, D)); // [B, T, V]
}

const loss = t.crossEntropy(model(t.input("tokens", [B, T], "i32")), t.input("targets", [B, T], "i32"), {
	softcap: 15,
});
const weights = t.parameters(loss);
const program = t.compile({ loss }, t.adamw(weights, t.grad(loss, weights), { lr: 1e-3 }));
const draw = () => Int32Array.from({ length: B * T }, () => Math.floor(random() * V));
const batch = { tokens: draw(), targets: draw() };
const milliseconds = median(timed(STEPS, () => program.run(batch)));
const usedMb = Math.max(0, before - device.freeMemory()) / 2 ** 20;
const forecastMb = program.memory.peak / 2 ** 20;

const count = weights.reduce((total, { size }) => total + size, 0);
// PaLM's appendix B: 6 a weight and token, and attention's.
const flops = (6 * (count - V * D) + 12 * L * D * T) * B * T;
const peakGflops = matmulRate();
const figures: Throughput = {
	size,
	parameters: count,
	tokensPerSecond: (B * T * 1e3) / milliseconds,
	milliseconds,
	peakGflops,
	ofPeak: flops / milliseconds / 1e6 / peakGflops,
	forecastMb,
	usedMb,
};
console.log(JSON.stringify(figures));

/** The rate of a product of two square matrices, chained so that moving them in and out does not count. */
function matmulRate(): number {
	const n = device.name === "vulkan:software" ? 128 : 4096;
	const products = 8;
	const [a, b] = [t.parameter("a", matrixOf(n)), t.parameter("b", matrixOf(n))];
	let y: t.Tensor = a;
	for (let i = 0; i < products; i++) y = t.matmul(y, b, { transposeB: true });
	const program = t.compile({ one: y.slice(0, 0, 1).slice(1, 0, 1) });
	const seconds = Math.min(...timed(3, () => program.run())) / 1e3;
	return (products * 2 * n ** 3) / seconds / 1e9;
}

function matrixOf(n: number): t.Tensor {
	return t.uniform([n, n], 1 / Math.sqrt(n), random);
}

/** Milliseconds of each run after the first, in which kernels are compiled. */
function timed(runs: number, action: () => void): number[] {
	action();
	return Array.from({ length: runs }, () => {
		const start = performance.now();
		action();
		return performance.now() - start;
	});
}
