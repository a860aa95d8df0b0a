/**
 * What counting alone reaches on the metric: uniform, unigram, bigram and trigram models of the training split, in bits
 * per byte over the very rows evaluate.ts covers. A neural model that is not well below the trigram has learned little.
 *
 *     node bench/baseline-ngram.ts [--source sotu] [--vocab 4096] [--split val]
 *
 * N-grams are interpolated after Witten and Bell (1991), method C as in Chen and Goodman (1999): no constant to tune.
 */
import { parseArgs } from "node:util";
import { evaluationBatches } from "../prepare/batches.ts";
import { BitsPerByteSum } from "../prepare/bits-per-byte.ts";
import { SEQUENCE_LENGTH } from "../prepare/constants.ts";
import { prepareDataset, type SplitName } from "../prepare/dataset.ts";

const { values } = parseArgs({
	options: {
		source: { type: "string", default: "sotu" },
		vocab: { type: "string", default: "4096" },
		split: { type: "string", default: "val" },
	},
});

/** Counts of the tokens that follow a context. */
interface Followers {
	total: number;
	counts: Map<number, number>;
}

class NgramModel {
	/** By context length, then by the context's tokens as one number. */
	readonly #contexts: Map<number, Followers>[];
	readonly #vocabSize: number;

	/** @param order 0 is uniform, 1 counts tokens, 2 pairs, 3 triples */
	constructor(tokens: Uint16Array, order: number, vocabSize: number) {
		this.#vocabSize = vocabSize;
		this.#contexts = Array.from({ length: order }, () => new Map());
		for (let i = 0; i < tokens.length; i++)
			for (const [length, contexts] of this.#contexts.entries()) {
				if (i < length) continue;
				const context = this.#key(tokens, i, length);
				const followers = contexts.get(context) ?? { total: 0, counts: new Map() };
				contexts.set(context, followers);
				followers.total++;
				followers.counts.set(tokens[i]!, (followers.counts.get(tokens[i]!) ?? 0) + 1);
			}
	}

	/** Nats of token i given what comes before it in `tokens`. */
	loss(tokens: ArrayLike<number>, i: number): number {
		let probability = 1 / this.#vocabSize;
		for (const [length, contexts] of this.#contexts.entries()) {
			const followers = i < length ? undefined : contexts.get(this.#key(tokens, i, length));
			if (!followers) break;
			const { total, counts } = followers;
			probability = ((counts.get(tokens[i]!) ?? 0) + counts.size * probability) / (total + counts.size);
		}
		return -Math.log(probability);
	}

	/** The `length` tokens before i. */
	#key(tokens: ArrayLike<number>, i: number, length: number): number {
		let key = 0;
		for (let t = i - length; t < i; t++) key = key * this.#vocabSize + tokens[t]!;
		return key;
	}
}

const dataset = await prepareDataset({ source: values.source, vocabSize: Number(values.vocab) });
const training = dataset.split("train").tokens;
for (const [order, name] of ["uniform", "unigram", "bigram", "trigram"].entries()) {
	const model = new NgramModel(training, order, dataset.vocabSize);
	const sum = new BitsPerByteSum(dataset.tokenBytes);
	for (const { tokens, targets } of evaluationBatches(dataset, values.split as SplitName)) {
		const losses = new Float32Array(targets.length);
		for (let start = 0; start < targets.length; start += SEQUENCE_LENGTH) {
			const row = [tokens[start]!, ...targets.subarray(start, start + SEQUENCE_LENGTH)];
			for (let t = 0; t < SEQUENCE_LENGTH; t++) losses[start + t] = model.loss(row, t + 1);
		}
		sum.add(losses, targets);
	}
	const { value, tokens, bytes } = sum.result;
	console.log(
		`${name.padEnd(8)} ${value.toFixed(4)} bits per byte (${tokens} tokens, ${bytes} bytes of ${values.split})`,
	);
}
