/**
 * The gate: keep or discard, by measurement and by nothing else. Pure. For now an experiment is kept when it is strictly
 * better than the best so far.
 */
export interface Verdict {
	status: "keep" | "discard";
	/** In words, for the row's detail. */
	reason: string;
}

export function judge(
	value: number,
	best: number | undefined,
	metric: { name: string; direction: "lower" | "higher" },
): Verdict {
	if (best === undefined) return { status: "keep", reason: "first measurement" };
	const gain = metric.direction === "lower" ? best - value : value - best;
	const distance = Math.abs(value - best).toFixed(6);
	if (gain > 0) return { status: "keep", reason: `${metric.name} better by ${distance}` };
	if (gain === 0) return { status: "discard", reason: `${metric.name} the same as the best` };
	return { status: "discard", reason: `${metric.name} worse by ${distance}` };
}
