/**
 * Whether a model predicts without looking ahead. In each row of a batch of real text, the tokens from some position on
 * are replaced; the losses before that position must not change. A model that sees the tokens it predicts would
 * otherwise win every comparison.
 */
import { randomFrom } from "../../prepare/random.ts";
import { Crash } from "./crash.ts";

/** What evaluation needs of a trained model. */
export interface TrainedModel {
	rows: number;
	length: number;
	/** Nats at each position, [rows * length], of the targets [rows, length] given the tokens [rows, length]. */
	losses(tokens: Int32Array, targets: Int32Array): Float32Array;
}

/**
 * Tolerance in nats, relative for losses above 1: sums in another order round differently, by far less than a leak
 * changes a loss.
 */
const TOLERANCE = 1e-3;

/**
 * The losses of a batch, after checking that none depends on tokens after its position.
 * @throws Crash naming where the model looked ahead
 */
export function causalLosses(
	model: TrainedModel,
	tokens: Int32Array,
	targets: Int32Array,
	vocabSize: number,
	seed: number,
): Float32Array {
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

	const losses = model.losses(tokens, targets).slice();
	const after = model.losses(changed, targets);
	for (const [row, start] of from.entries())
		for (let t = 0; t < start; t++) {
			const [here, there] = [losses[row * length + t]!, after[row * length + t]!];
			if (!Number.isFinite(here)) throw new Crash(`the trained model's loss is not finite (${here})`);
			// Negated, so that NaN is caught too.
			if (!(Math.abs(here - there) <= TOLERANCE * Math.max(1, here)))
				throw new Crash(
					`the model looks ahead: its loss at position ${t} changed with the tokens from position ${start} on`,
				);
		}
	return losses;
}
