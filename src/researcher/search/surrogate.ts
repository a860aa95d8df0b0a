/**
 * Bayesian linear regression: what a few noisy gains say about many weights, with a normal prior on each. Thompson
 * sampling draws one set of weights from the posterior at a time, so that an uncertain option is tried as often as it
 * may be the best (Thompson 1933; Agrawal and Goyal 2013 for the linear case).
 */
import type { RandomSource } from "./random.ts";

/** A normal distribution: the prior of one weight. */
export interface Normal {
	mean: number;
	sd: number;
}

/** One measurement: a sparse row of features, the gain seen, and the standard deviation of its noise. */
export interface Observation {
	features: [index: number, value: number][];
	gain: number;
	noise: number;
}

/** The posterior of the weights. */
export interface Regression {
	mean: Float64Array;
	/** One sample of all weights. */
	sample(random: RandomSource): Float64Array;
}

export function fitRegression(priors: readonly Normal[], observations: readonly Observation[]): Regression {
	const n = priors.length;
	const precision = new Float64Array(n * n);
	const target = new Float64Array(n);
	priors.forEach(({ mean, sd }, i) => {
		precision[i * n + i] = 1 / sd ** 2;
		target[i] = mean / sd ** 2;
	});
	for (const { features, gain, noise } of observations) {
		const weight = 1 / noise ** 2;
		for (const [i, x] of features) {
			target[i]! += weight * x * gain;
			for (const [j, y] of features) precision[i * n + j]! += weight * x * y;
		}
	}
	const lower = cholesky(precision, n);
	const mean = solveUpper(lower, n, solveLower(lower, n, target));
	return {
		mean,
		sample(random) {
			const noise = solveUpper(
				lower,
				n,
				Float64Array.from({ length: n }, () => random.normal()),
			);
			return mean.map((value, i) => value + noise[i]!);
		},
	};
}

/** The lower triangle L with L·Lᵀ = A, for a symmetric positive definite A [n, n]. */
function cholesky(a: Float64Array, n: number): Float64Array {
	const l = new Float64Array(n * n);
	for (let i = 0; i < n; i++) {
		for (let j = 0; j <= i; j++) {
			let sum = a[i * n + j]!;
			for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
			l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j]!;
		}
	}
	return l;
}

/** x with L·x = b. */
function solveLower(l: Float64Array, n: number, b: Float64Array): Float64Array {
	const x = Float64Array.from(b);
	for (let i = 0; i < n; i++) {
		for (let k = 0; k < i; k++) x[i]! -= l[i * n + k]! * x[k]!;
		x[i]! /= l[i * n + i]!;
	}
	return x;
}

/** x with Lᵀ·x = b. */
function solveUpper(l: Float64Array, n: number, b: Float64Array): Float64Array {
	const x = Float64Array.from(b);
	for (let i = n - 1; i >= 0; i--) {
		for (let k = i + 1; k < n; k++) x[i]! -= l[k * n + i]! * x[k]!;
		x[i]! /= l[i * n + i]!;
	}
	return x;
}
