/** Continues a text with a trained model. */
import { loadCheckpoint } from "./checkpoint.ts";
import type { DeviceOptions } from "./device/device.ts";
import { seeded } from "./random.ts";

export interface SampleOptions extends DeviceOptions {
	/** Below 1 prefers likely tokens; 0 takes the likeliest always. Default 0.8. */
	temperature?: number;
	/** Only this many of the likeliest tokens are drawn from. Default 50. */
	topK?: number;
	seed?: number;
}

/**
 * Draws `count` tokens, one after another, that follow `prompt` (which begins with the BOS token).
 * @throws TensorError when the checkpoint is damaged.
 */
export function* sample(
	dir: string,
	prompt: readonly number[],
	count: number,
	options: SampleOptions = {},
): Generator<number> {
	const { temperature = 0.8, topK = 50, seed = 1, ...device } = options;
	const model = loadCheckpoint(dir, device);
	const { rows, length, vocabSize } = model;
	const random = seeded(seed);
	const text = [...prompt];
	try {
		for (let i = 0; i < count; i++) {
			const seen = text.slice(-length);
			// The graph has a fixed shape: the first row holds the text, what follows it cannot be seen by it.
			const tokens = new Int32Array(rows * length);
			tokens.set(seen);
			const at = (seen.length - 1) * vocabSize;
			const next = draw(model.logits(tokens).subarray(at, at + vocabSize), temperature, topK, random());
			text.push(next);
			yield next;
		}
	} finally {
		model.close();
	}
}

/** The index a uniform number from [0, 1) selects from softmax(logits / temperature), cut to the topK largest. */
export function draw(logits: Float32Array, temperature: number, topK: number, uniform: number): number {
	const ids = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!).slice(0, temperature === 0 ? 1 : topK);
	const weights = ids.map((id) => Math.exp((logits[id]! - logits[ids[0]!]!) / (temperature || 1)));
	let left = uniform * weights.reduce((total, weight) => total + weight, 0);
	const chosen = weights.findIndex((weight) => {
		left -= weight;
		return left < 0;
	});
	return ids[chosen] ?? ids[0]!;
}
