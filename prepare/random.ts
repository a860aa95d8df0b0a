/** Seeded random numbers: small, fast, and the same on every machine; not for secrets. */

/** SplitMix32 (Steele, Lea and Flood 2014, the 32-bit variant): draws whole numbers from [0, 2^32). */
export function splitMix32(seed: number): () => number {
	let state = seed | 0;
	return () => {
		state = (state + 0x9e3779b9) | 0;
		let z = state;
		z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
		z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
		return (z ^ (z >>> 15)) >>> 0;
	};
}

/**
 * sfc32 (Doty-Humphrey, PractRand): draws whole numbers from [0, 2^32).
 * @param state four words, the last a counter. Draws change them; the first dozen after a new seed should be dropped.
 */
export function sfc32(state: Int32Array): () => number {
	return () => {
		const [b, c] = [state[1]!, state[2]!];
		const drawn = (state[0]! + b + state[3]!) | 0;
		state[0] = b ^ (b >>> 9);
		state[1] = c + (c << 3);
		state[2] = ((c << 21) | (c >>> 11)) + drawn;
		state[3]!++;
		return drawn >>> 0;
	};
}

/** SplitMix32 as numbers in [0, 1). */
export function randomFrom(seed: number): () => number {
	const next = splitMix32(seed);
	return () => next() / 2 ** 32;
}

/** Shuffles in place (Fisher-Yates). */
export function shuffle(items: Uint32Array, random: () => number): void {
	for (let i = items.length - 1; i > 0; i--) {
		const j = Math.floor(random() * (i + 1));
		const held = items[i]!;
		items[i] = items[j]!;
		items[j] = held;
	}
}
