/**
 * Whether a model predicts without looking ahead. Each row of a batch of real text gets other tokens from a place of its
 * own on; what the model says about the places before must stay as it was. A model that sees what it shall predict would
 * otherwise win every comparison.
 */
import { randomFrom } from "../prepare/random.ts";
import { Crash } from "./crash.ts";

/** What evaluation needs of a trained model. */
export interface TrainedModel {
	rows: number;
	length: number;
	/** [rows, length] token ids to [rows, length, vocabSize] logits, row-major. */
	logits(tokens: Int32Array): Float32Array;
}

/** Of the largest logit: rounding differs where sums are taken in another order, information does not fit in. */
const TOLERANCE = 1e-3;

/** @throws Crash naming where the model looked ahead, or where its logits are not finite */
export function requireCausal(model: TrainedModel, tokens: Int32Array, vocabSize: number, seed: number): void {
	const { rows, length } = model;
	const random = randomFrom(seed);
	const changed = Int32Array.from(tokens);
	// The first row changes only the last token, the second all but the first; the others somewhere between.
	const from = Array.from({ length: rows }, (_, row) => {
		if (row === 0) return length - 1;
		return row === 1 ? 1 : 1 + Math.floor(random() * (length - 1));
	});
	for (const [row, start] of from.entries())
		for (let t = start; t < length; t++) {
			const i = row * length + t;
			changed[i] = (tokens[i]! + 1 + Math.floor(random() * (vocabSize - 1))) % vocabSize;
		}

	const before = Float32Array.from(model.logits(tokens));
	const after = model.logits(changed);
	const limit = TOLERANCE * Math.max(1, largest(before));
	for (const [row, start] of from.entries())
		for (let t = 0; t < start; t++) {
			const at = (row * length + t) * vocabSize;
			for (let v = at; v < at + vocabSize; v++)
				// Negated, so that NaN is caught too.
				if (!(Math.abs(before[v]! - after[v]!) <= limit))
					throw new Crash(
						`the model looks ahead: what it predicts at position ${t} changed with the tokens from position ${start} on`,
					);
		}
}

function largest(logits: Float32Array): number {
	let most = 0;
	for (const logit of logits) {
		if (!Number.isFinite(logit)) throw new Crash(`the trained model's logits are not finite (${logit})`);
		most = Math.max(most, Math.abs(logit));
	}
	return most;
}
