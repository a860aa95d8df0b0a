/**
 * The gate: keep or discard, by measurement and by nothing else. Pure. For now an experiment is kept when it is
 * strictly better than the one it was built on: the best so far, unless a human chose another base.
 */
import { gain, type Metric } from "../journal/metric.ts";

export interface Verdict {
	status: "keep" | "discard";
	/** In words, for the row's detail. */
	reason: string;
}

export function judge(value: number, base: number | undefined, metric: Metric): Verdict {
	if (base === undefined) return { status: "keep", reason: "first measurement" };
	const gained = gain(metric, base, value);
	const distance = Math.abs(value - base).toFixed(6);
	if (gained > 0) return { status: "keep", reason: `${metric.name} better by ${distance}` };
	if (gained === 0) return { status: "discard", reason: `${metric.name} the same as the base` };
	return { status: "discard", reason: `${metric.name} worse by ${distance}` };
}
