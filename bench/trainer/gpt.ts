/**
 * One side of the comparison: the GPT of peer.py in our library, in a process of its own.
 *
 *     node bench/trainer/gpt.ts '{"shape":[256,4,2,256,16,2048],"steps":6,"threads":2,"lowering":"cpu"}'
 *
 * `shape` is width, layers, heads, tokens in a sequence, sequences, vocabulary. Prints one JSON object: the
 * milliseconds of each step after the first, and the parameters that peer.py counts.
 */
import { ensureKernels } from "../../trainer/tensor/cpu/build.ts";
import {
	adamw,
	attention,
	compile,
	configure,
	crossEntropy,
	embedding,
	grad,
	input,
	linear,
	normal,
	parameter,
	parameters,
	relu,
	rmsNorm,
	rotary,
	seeded,
	type Tensor,
	uniform,
} from "../../trainer/tensor/index.ts";

export interface Side {
	shape: [width: number, layers: number, heads: number, length: number, rows: number, vocabSize: number];
	steps: number;
	threads: number;
	/** `portable` is ggml alone. */
	lowering: "cpu" | "portable";
}

const { shape, steps, threads, lowering } = JSON.parse(process.argv[2]!) as Side;
const kernels = lowering === "cpu" ? await ensureKernels() : undefined;
if (kernels && !kernels.ok) throw new Error(kernels.reason);
configure({ threads, kernels: kernels?.path });

const [D, L, H, T, B, V] = shape;
const random = seeded(0);
const matrix = (name: string, out: number, width: number) =>
	parameter(name, uniform([out, width], 1 / Math.sqrt(width), random));

function model(tokens: Tensor): Tensor {
	let x = rmsNorm(embedding(tokens, parameter("embedding", normal([V, D], 1, random)))); // [B, T, D]
	for (let i = 0; i < L; i++) {
		const h = rmsNorm(x);
		const [q, k, v] = ["q", "k", "v"].map((name) =>
			linear(h, matrix(`${name}${i}`, D, D)).reshape([B, T, H, D / H]),
		) as [Tensor, Tensor, Tensor];
		const y = attention(rmsNorm(rotary(q)), rmsNorm(rotary(k)), v).reshape([B, T, D]);
		x = x.add(linear(y, matrix(`p${i}`, D, D)));
		const hidden = relu(linear(rmsNorm(x), matrix(`up${i}`, 4 * D, D))).square();
		x = x.add(linear(hidden, matrix(`down${i}`, D, 4 * D)));
	}
	return linear(rmsNorm(x), matrix("head", V, D)); // [B, T, V]
}

const [tokens, targets] = [input("tokens", [B, T], "i32"), input("targets", [B, T], "i32")];
const loss = crossEntropy(model(tokens), targets, { softcap: 15 });
const weights = parameters(loss);
const update = adamw(weights, grad(loss, weights), { lr: 1e-3, beta2: 0.999, weightDecay: 0.01 });
const program = compile({ loss }, update);
const milliseconds = Array.from({ length: steps + 1 }, () => {
	const ids = () => Int32Array.from({ length: B * T }, () => Math.floor(random() * V));
	const [tokens, targets] = [ids(), ids()];
	const start = performance.now();
	program.run({ tokens, targets });
	return performance.now() - start;
});
const count = weights.reduce((total, { size }) => total + size, 0);
console.log(JSON.stringify({ milliseconds: milliseconds.slice(1), parameters: count }));
