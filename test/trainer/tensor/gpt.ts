/** A small GPT with everything train.ts may ask of the library, for tests that compare whole models. */
import * as t from "../../../trainer/tensor/index.ts";

export const gpt = { width: 32, layers: 2, heads: 4, keyHeads: 2, length: 24, rows: 2, vocabSize: 50, window: 9 };

export interface Model {
	tokens: t.Tensor;
	targets: t.Tensor;
	loss: t.Tensor;
	weights: t.Parameter[];
}

/** The loss of the model on inputs `tokens` and `targets`, and its weights, initialised from `seed`. */
export function buildGpt(seed = 1): Model {
	const { width: D, layers, heads: H, keyHeads: G, length: T, rows: B, vocabSize: V, window } = gpt;
	const draw = t.seeded(seed);
	const matrix = (name: string, out: number, width: number) =>
		t.parameter(name, t.uniform([out, width], Math.sqrt(3 / width), draw));
	const [tokens, targets] = [t.input("tokens", [B, T], "i32"), t.input("targets", [B, T], "i32")];
	const first = t.rmsNorm(t.embedding(tokens, t.parameter("embedding", t.normal([V, D], 1, draw))));
	let x = first; // [B, T, D]
	for (let i = 0; i < layers; i++) {
		const scalar = (n: number, value: number) => t.parameter(`scalar${i}${n}`, t.full([], value));
		x = x.mul(scalar(0, 1.1)).add(first.mul(scalar(1, 0.2)));
		const h = t.rmsNorm(x);
		const split = (name: string, count: number) =>
			t.linear(h, matrix(`${name}${i}`, count * (D / H), D)).reshape([B, T, count, D / H]);
		const [q, k] = [t.rmsNorm(t.rotary(split("q", H))), t.rmsNorm(t.rotary(split("k", G)))];
		const y = t.attention(q, k, split("v", G), { window: i === 0 ? window : 0 });
		x = x.add(t.linear(y.reshape([B, T, D]), matrix(`o${i}`, D, D)));
		x = x.add(
			t.linear(t.relu(t.linear(t.rmsNorm(x), matrix(`up${i}`, 3 * D, D))).square(), matrix(`down${i}`, D, 3 * D)),
		);
	}
	const logits = t.softcap(t.linear(t.rmsNorm(x), matrix("head", V, D)), 15);
	const loss = t.crossEntropy(logits, targets);
	return { tokens, targets, loss, weights: t.parameters(loss) };
}
