/**
 * Compiles and runs a program in a process of its own, then prints two numbers of bytes: the peak forecast before the
 * first run, and the peak the kernel counted.
 */
import { readFileSync } from "node:fs";
import { ensureKernels } from "../../../trainer/tensor/cpu/build.ts";
import * as t from "../../../trainer/tensor/index.ts";

const kernels = await ensureKernels();
t.configure({ threads: 1, kernels: kernels.ok && process.argv[2] === "kernels" ? kernels.path : undefined });

const [B, T, D, V] = [16, 128, 128, 2048];
const draw = t.seeded(1);
const [tokens, targets] = [t.input("tokens", [B, T], "i32"), t.input("targets", [B, T], "i32")];
let x = t.rmsNorm(t.embedding(tokens, t.parameter("table", t.normal([V, D], 1, draw))));
for (let i = 0; i < 4; i++) {
	const heads = t.linear(x, t.parameter(`qkv${i}`, t.normal([D, D], 0.1, draw))).reshape([B, T, 4, D / 4]);
	x = x.add(t.attention(heads, heads, heads).reshape([B, T, D]));
	const up = t.linear(t.rmsNorm(x), t.parameter(`up${i}`, t.normal([4 * D, D], 0.1, draw)));
	x = x.add(t.linear(t.gelu(up), t.parameter(`down${i}`, t.normal([D, 4 * D], 0.1, draw))));
}
const loss = t.crossEntropy(t.linear(x, t.parameter("head", t.normal([V, D], 0.1, draw))), targets);
const weights = t.parameters(loss);
const gradients = t.grad(loss, weights);
const ids = new Int32Array(B * T);
if (process.argv[3] === "two programs") {
	const sums = weights.map(({ name, shape }) => t.buffer(`sum.${name}`, t.zeros(shape)));
	const add = t.compile(
		{},
		sums.map((sum, i) => t.assign(sum, sum.add(gradients[i]!))),
	);
	const step = t.compile({ loss }, t.adamw(weights, sums, { lr: 0.001 }));
	for (let i = 0; i < 4; i++) {
		add.run({ tokens: ids, targets: ids });
		step.run({ tokens: ids, targets: ids });
	}
} else {
	const program = t.compile({ loss }, t.adamw(weights, gradients, { lr: 0.001 }));
	for (let i = 0; i < 4; i++) program.run({ tokens: ids, targets: ids });
}
const status = readFileSync("/proc/self/status", "utf8");
const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) * 1024;
console.log(t.memoryForecast(), peak);
