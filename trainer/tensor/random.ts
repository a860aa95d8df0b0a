/** Seeded random numbers for initialisers: the same seed gives the same model on every machine. */

/** Draws from [0, 1). */
export type Random = () => number;

/** A source of random numbers for `normal` and `uniform`: sfc32 (Doty-Humphrey, PractRand), seeded through splitmix32. */
export function seeded(seed: number): Random {
	let s = seed | 0;
	const split = () => {
		s = (s + 0x9e3779b9) | 0;
		let z = s;
		z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
		z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
		return z ^ (z >>> 15);
	};
	let [a, b, c, d] = [split(), split(), split(), 1];
	const next = () => {
		const t = (((a + b) | 0) + d) | 0;
		d = (d + 1) | 0;
		a = b ^ (b >>> 9);
		b = (c + (c << 3)) | 0;
		c = (c << 21) | (c >>> 11);
		c = (c + t) | 0;
		return (t >>> 0) / 4294967296;
	};
	for (let i = 0; i < 12; i++) next();
	return next;
}
