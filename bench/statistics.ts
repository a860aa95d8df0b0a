/** What benchmarks report of repeated measurements. */

/** The value below which `share` (0 to 1) of the values lie, interpolated between neighbours; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	const at = share * (sorted.length - 1);
	const [below = Number.NaN, above = below] = sorted.slice(Math.floor(at));
	return below + (above - below) * (at % 1);
}

export function median(values: readonly number[]): number {
	return quantile(values, 0.5);
}

export function round(value: number, decimals: number): number {
	return Number(value.toFixed(decimals));
}
