/**
 * Batches for training and for the metric: rows packed from passages, best fit first, every row beginning with BOS, no
 * padding (karpathy/nanochat's dataloader). One difference: where nanochat crops a passage to fill a row and throws its
 * tail away, the tail goes back to the pool with a BOS of its own. With rows as short as ours cropping would lose a third
 * of a small corpus; so no token is lost.
 *
 * The same dataset, shape and seed always give the same batches.
 */
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

/** Passages a row is chosen from: enough that one of them nearly always fits exactly or almost. */
const POOL = 1000;

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

	/** Fills the row: always the longest passage that still fits; if none does, the start of the shortest. */
	fill(row: Int32Array): void {
		let at = 0;
		while (at < row.length) {
			while (this.#pool.length < POOL) this.#pool.push(this.#draw());
			const room = row.length - at;
			const chosen = this.#choose(room);
			const passage = this.#pool[chosen]!;
			row.set(passage.subarray(0, room), at);
			at += Math.min(passage.length, room);
			if (passage.length > room) this.#pool[chosen] = this.#withBos(passage.subarray(room));
			else this.#pool[chosen] = this.#draw();
		}
	}

	#choose(room: number): number {
		let longest = -1;
		let shortest = 0;
		for (const [i, { length }] of this.#pool.entries()) {
			if (length <= room && (longest < 0 || length > this.#pool[longest]!.length)) longest = i;
			if (length < this.#pool[shortest]!.length) shortest = i;
		}
		return longest >= 0 ? longest : shortest;
	}

	#draw(): Uint16Array {
		if (this.#next === this.#order.length) {
			shuffle(this.#order, this.#random);
			this.#next = 0;
			this.epoch++;
		}
		return this.#passages[this.#order[this.#next++]!]!;
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
