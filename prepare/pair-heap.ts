/** A binary heap of pairs, the most frequent on top; among equals the smallest pair. */
export class PairHeap {
	readonly #entries: { pair: number; count: number }[] = [];

	push(pair: number, count: number): void {
		const entries = this.#entries;
		const entry = { pair, count };
		let i = entries.push(entry) - 1;
		while (i > 0) {
			const parent = (i - 1) >> 1;
			if (!above(entry, entries[parent]!)) break;
			entries[i] = entries[parent]!;
			i = parent;
		}
		entries[i] = entry;
	}

	pop(): { pair: number; count: number } | undefined {
		const entries = this.#entries;
		const top = entries[0];
		const entry = entries.pop();
		if (!entry || entries.length === 0) return top;
		let i = 0;
		for (;;) {
			let child = 2 * i + 1;
			if (child >= entries.length) break;
			if (child + 1 < entries.length && above(entries[child + 1]!, entries[child]!)) child++;
			if (!above(entries[child]!, entry)) break;
			entries[i] = entries[child]!;
			i = child;
		}
		entries[i] = entry;
		return top;
	}
}

function above(a: { pair: number; count: number }, b: { pair: number; count: number }): boolean {
	return a.count !== b.count ? a.count > b.count : a.pair < b.pair;
}
