/**
 * Batches for training and for the metric: rows packed from passages, best fit first, every row beginning with BOS, no
 * padding (karpathy/nanochat's dataloader). One difference: where nanochat crops the shortest passage to fill a row and
 * throws its tail away, here the one that has waited longest is cut and its tail goes back to the pool with a BOS of
 * its own. With rows as short as ours cropping would lose 40% of a small corpus; so every epoch holds every token
 * exactly once. On `sotu` with rows of 256 a row holds 1.6 pieces.
 *
 * The same dataset, shape and seed always give the same batches.
 */
import { EVAL_BATCH_ROWS, EVAL_ROWS, SEQUENCE_LENGTH } from "./constants.ts";
import type { Dataset, SplitName } from "./dataset.ts";
import { randomFrom, shuffle } from "./random.ts";

export interface PackedBatch {
	/** [rows, length], row-major; every row begins with BOS. */
	tokens: Int32Array;
	/** [rows, length]: targets[b, t] is the token that follows tokens[b, t]. */
	targets: Int32Array;
	/** How often the split has been begun, from 1. */
	epoch: number;
}

export interface BatchShape {
	rows: number;
	/** Tokens in a row. */
	length: number;
	/** Orders the passages of each epoch. */
	seed: number;
}

/** Passages a row is chosen from: enough that one of them often fits well. */
const POOL = 128;

/** Endless: begins the split again, in another order, when it is used up. */
export function* batches(
	dataset: Dataset,
	name: SplitName,
	{ rows, length, seed }: BatchShape,
): Generator<PackedBatch> {
	const packer = new Packer(dataset.split(name).tokens, dataset.bosId, seed);
	const row = new Int32Array(length + 1);
	for (;;) {
		const tokens = new Int32Array(rows * length);
		const targets = new Int32Array(rows * length);
		for (let r = 0; r < rows; r++) {
			packer.fill(row);
			tokens.set(row.subarray(0, length), r * length);
			targets.set(row.subarray(1), r * length);
		}
		yield { tokens, targets, epoch: packer.epoch };
	}
}

/** The order of the passages the metric covers: part of the metric, like their number. */
const EVAL_ORDER = 0;

/**
 * What the metric is measured on: the first EVAL_ROWS rows of a split, or all of a smaller one; the same every time.
 */
export function* evaluationBatches(dataset: Dataset, name: SplitName): Generator<PackedBatch> {
	const shape = { rows: EVAL_BATCH_ROWS, length: SEQUENCE_LENGTH, seed: EVAL_ORDER };
	let rows = 0;
	for (const batch of batches(dataset, name, shape)) {
		if (rows === EVAL_ROWS || (rows > 0 && batch.epoch > 1)) return;
		yield batch;
		rows += shape.rows;
	}
}

class Packer {
	epoch = 0;
	readonly #bosId: number;
	readonly #passages: Uint16Array[];
	readonly #order: Uint32Array;
	readonly #random: () => number;
	readonly #pool: Uint16Array[] = [];
	#next: number;

	constructor(tokens: Uint16Array, bosId: number, seed: number) {
		this.#bosId = bosId;
		this.#passages = passagesOf(tokens, bosId);
		this.#order = Uint32Array.from(this.#passages.keys());
		this.#next = this.#order.length;
		this.#random = randomFrom(seed);
	}

	/** Fills the row: always the longest passage that still fits; if none does, the start of the oldest in the pool. */
	fill(row: Int32Array): void {
		let at = 0;
		while (at < row.length) {
			this.#refill();
			const room = row.length - at;
			const chosen = this.#longestWithin(room);
			const passage = this.#pool[chosen ?? 0]!;
			row.set(passage.subarray(0, room), at);
			at += Math.min(passage.length, room);
			if (chosen === undefined) this.#pool[0] = this.#withBos(passage.subarray(room));
			else this.#pool.splice(chosen, 1);
		}
	}

	/** Where in the pool the longest passage of at most `room` tokens is; the oldest of several. */
	#longestWithin(room: number): number | undefined {
		let chosen: number | undefined;
		let best = 0;
		for (const [i, { length }] of this.#pool.entries()) {
			if (length > room || length <= best) continue;
			chosen = i;
			best = length;
		}
		return chosen;
	}

	/** Epochs do not mix: the next one begins when the pool is empty, so each holds every token once. */
	#refill(): void {
		if (this.#next === this.#order.length && this.#pool.length === 0) {
			shuffle(this.#order, this.#random);
			this.#next = 0;
			this.epoch++;
		}
		while (this.#pool.length < POOL && this.#next < this.#order.length)
			this.#pool.push(this.#passages[this.#order[this.#next++]!]!);
	}

	#withBos(tail: Uint16Array): Uint16Array {
		const passage = new Uint16Array(tail.length + 1);
		passage[0] = this.#bosId;
		passage.set(tail, 1);
		return passage;
	}
}

function passagesOf(tokens: Uint16Array, bosId: number): Uint16Array[] {
	const passages: Uint16Array[] = [];
	for (let start = 0; start < tokens.length; ) {
		const next = tokens.indexOf(bosId, start + 1);
		const end = next < 0 ? tokens.length : next;
		passages.push(tokens.subarray(start, end));
		start = end;
	}
	return passages;
}
