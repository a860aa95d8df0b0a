/** Random numbers that depend on nothing but their seeds, so that a run can be told again. */
export interface Random {
	/** Uniform in [0, 1). */
	uniform(): number;
	/** Standard normal. */
	normal(): number;
}

/** sfc32 (Chris Doty-Humphrey's small fast counter generator) over the seeds, warmed up. */
export function createRandom(...seeds: number[]): Random {
	let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
	const next = () => {
		const t = (((a + b) | 0) + counter) | 0;
		counter = (counter + 1) | 0;
		a = b ^ (b >>> 9);
		b = (c + (c << 3)) | 0;
		c = (c << 21) | (c >>> 11);
		c = (c + t) | 0;
		return t >>> 0;
	};
	for (const seed of seeds) {
		a ^= seed | 0;
		b ^= Math.floor(seed / 2 ** 32);
		for (let i = 0; i < 12; i++) next();
	}
	const uniform = () => next() / 2 ** 32;
	const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
	return { uniform, normal };
}
