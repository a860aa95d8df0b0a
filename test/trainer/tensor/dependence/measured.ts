/** What a model's logits really depend on, found by changing every token of a small batch. */
import { compile, type Tensor } from "../../../../trainer/tensor/index.ts";
import type { Lowering } from "../../../../trainer/tensor/lower/lowering.ts";
import { ids } from "../numeric.ts";

/**
 * Whether a logit of logits [rows, length, V] changes, in any bit, with a token after its position or in another row of
 * tokens [rows, length]. `tries` texts are looked at.
 */
export function leaks(logits: Tensor, tokens: Tensor, vocabSize: number, lowering: Lowering, tries = 3): boolean {
	const [rows, length] = tokens.shape as [number, number];
	const width = logits.size / rows / length;
	const program = compile({ logits }, [], lowering);
	// The bits: NaN is not equal to itself, and an infinity is as good a signal as a number.
	const run = (batch: Int32Array) => new Int32Array(program.run({ tokens: batch }).logits.data.buffer);
	try {
		for (let attempt = 0; attempt < tries; attempt++) {
			const text = ids(rows * length, vocabSize, 100 + attempt);
			const before = run(text);
			for (let i = 0; i < text.length; i++) {
				const after = run(text.with(i, (text[i]! + 1 + attempt) % vocabSize));
				const [row, position] = [Math.floor(i / length), i % length];
				for (let at = 0; at < before.length; at++) {
					if (before[at] === after[at]) continue;
					const place = Math.floor(at / width);
					if (Math.floor(place / length) !== row || place % length < position) return true;
				}
			}
		}
		return false;
	} finally {
		program.close();
	}
}
