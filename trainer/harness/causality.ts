/**
 * Whether a model predicts without looking ahead, found by trying, where its graph leaves that open
 * (tensor/dependence/lookahead.ts). In each row of real text the tokens from some position on are replaced, again and
 * again at other positions; the losses before it must not change. The rows stand in another order each time, so that
 * none may read another or depend on its place.
 *
 * Positions and tokens are drawn here, after training, and no message says which they were: a model cannot be made to
 * behave at just those.
 */
import { getRandomValues } from "node:crypto";
import { randomFrom, shuffle } from "../../prepare/random.ts";
import { Crash } from "./crash.ts";

/** What evaluation needs of a trained model. */
export interface TrainedModel {
	rows: number;
	length: number;
	/** Nats at each position, [rows * length], of the targets [rows, length] given the tokens [rows, length]. */
	losses(tokens: Int32Array, targets: Int32Array): Float32Array;
}

export interface TokenBatch {
	/** [rows, length]. */
	tokens: Int32Array;
	/** [rows, length]. */
	targets: Int32Array;
}

/** A leak at one position of a thousand is missed by 4,605 tries in one case of a hundred: 0.999^4605 = 0.01. */
const TRIES = 4605;

/**
 * Nats by which one loss may change, relative for losses above 1: sums in another order round differently, by less than
 * this.
 */
const TOLERANCE = 1e-4;

/**
 * Nats by which losses may change on average, at positions equally far from the first replaced token. Rounding has no
 * direction; a thousandth of the smallest gain that counts has.
 */
const MEAN_TOLERANCE = 1e-5;

/**
 * The losses of all batches, after checking that none depends on tokens after its position or on other rows.
 * @param random draws from [0, 1); from a seed that nobody knows unless given
 * @throws Crash if one does, or is not finite
 */
export function probedLosses(
	model: TrainedModel,
	batches: readonly TokenBatch[],
	vocabSize: number,
	random: () => number = randomFrom(getRandomValues(new Int32Array(1))[0]!),
): Float32Array[] {
	const { rows, length } = model;
	const count = batches.length * rows;
	const tokens = joined(batches.map((batch) => batch.tokens));
	const targets = joined(batches.map((batch) => batch.targets));
	const losses = inAnyOrder(model, tokens, targets, random);
	const bad = losses.find((loss) => !Number.isFinite(loss));
	if (bad !== undefined) throw new Crash(`the trained model's loss is not finite (${bad})`);

	// Each row is cut at other positions in every pass, in an order of its own.
	const cuts = Array.from({ length: count }, () => {
		const order = Uint32Array.from({ length: length - 1 }, (_, i) => i + 1);
		shuffle(order, random);
		return order;
	});
	const passes = Math.min(length - 1, Math.ceil(TRIES / count));
	const means = new Means();
	for (let pass = 0; pass < passes; pass++) {
		const changed = tokens.slice();
		for (const [row, order] of cuts.entries())
			for (let i = row * length + order[pass]!; i < (row + 1) * length; i++)
				changed[i] = (tokens[i]! + 1 + Math.floor(random() * (vocabSize - 1))) % vocabSize;
		const after = inAnyOrder(model, changed, targets, random);
		for (const [row, order] of cuts.entries()) {
			const cut = order[pass]!;
			for (let t = 0; t < cut; t++) {
				const [here, there] = [losses[row * length + t]!, after[row * length + t]!];
				// Negated, so that NaN is caught too.
				if (!(Math.abs(here - there) <= TOLERANCE * Math.max(1, here))) throw lookingAhead();
				means.add(cut - t, there - here);
			}
		}
	}
	if (means.largest() > MEAN_TOLERANCE) throw lookingAhead();
	return batches.map((_, i) => losses.subarray(i * rows * length, (i + 1) * rows * length));
}

function lookingAhead(): Crash {
	return new Crash("the model looks ahead: losses change with the tokens after their position or with other rows");
}

/** Mean changes, by how far a position is from the first replaced token: 1, 2 and 3, 4 to 7, ... */
class Means {
	readonly #sums: number[] = [];
	readonly #counts: number[] = [];

	add(distance: number, change: number): void {
		const group = Math.floor(Math.log2(distance));
		this.#sums[group] = (this.#sums[group] ?? 0) + change;
		this.#counts[group] = (this.#counts[group] ?? 0) + 1;
	}

	largest(): number {
		return Math.max(...this.#sums.map((sum, group) => Math.abs(sum / this.#counts[group]!)));
	}
}

/** The losses of rows [count, length], which go through the model in batches of rows drawn from all of them. */
function inAnyOrder(model: TrainedModel, tokens: Int32Array, targets: Int32Array, random: () => number): Float32Array {
	const { rows, length } = model;
	const order = Uint32Array.from({ length: tokens.length / length }, (_, row) => row);
	shuffle(order, random);
	const found = new Float32Array(tokens.length);
	for (let first = 0; first < order.length; first += rows) {
		const members = order.subarray(first, first + rows);
		const gather = (from: Int32Array) =>
			joined([...members].map((row) => from.subarray(row * length, (row + 1) * length)));
		const batch = model.losses(gather(tokens), gather(targets));
		for (const [i, row] of members.entries()) found.set(batch.subarray(i * length, (i + 1) * length), row * length);
	}
	return found;
}

function joined(parts: readonly Int32Array[]): Int32Array {
	const whole = new Int32Array(parts.reduce((total, { length }) => total + length, 0));
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole;
}
