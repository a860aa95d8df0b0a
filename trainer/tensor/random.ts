/** Seeded random numbers for initialisers: the same seed gives the same model on every machine. */
import { sfc32, splitMix32 } from "../../prepare/random.ts";

/** Draws from [0, 1). */
export type Random = () => number;

/**
 * A source of random numbers for `normal` and `uniform`: sfc32 (Doty-Humphrey, PractRand), seeded through splitmix32.
 */
export function seeded(seed: number): Random {
	const split = splitMix32(seed);
	const next = sfc32(Int32Array.of(split(), split(), split(), 1));
	for (let i = 0; i < 12; i++) next();
	return () => next() / 2 ** 32;
}
