/** Random numbers that depend on nothing but their seeds, so that the same brief gives the same proposal. */
import { randomFrom } from "../../../prepare/random.ts";

/** Draws of numbers. */
export interface RandomSource {
	/** Uniform in [0, 1). */
	uniform(): number;
	/** Standard normal. */
	normal(): number;
}

/** A stream of its own for each sequence of seeds (integers of 32 bits). */
export function createRandom(...seeds: number[]): RandomSource {
	// The first number of the stream so far, a hash of its seed, is mixed with the next seed.
	const seed = seeds.reduce((mixed, next) => (randomFrom(mixed)() * 2 ** 32) ^ next, 0);
	const uniform = randomFrom(seed);
	const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
	return { uniform, normal };
}
