/** The metric a lab is judged by. No other file compares values by its direction. */
export interface Metric {
	name: string;
	direction: "lower" | "higher";
}

/** What a comparison needs of a metric. */
export type Better = Pick<Metric, "direction">;

/**
 * How much better `value` is than `reference`, in the metric's unit: positive is better, whichever way the metric
 * points.
 */
export function gain({ direction }: Better, reference: number, value: number): number {
	return direction === "lower" ? reference - value : value - reference;
}

/** Whether `value` is strictly better than `reference`; anything is better than none. */
export function isBetter(metric: Better, value: number, reference: number | undefined): boolean {
	return reference === undefined || gain(metric, reference, value) > 0;
}

/** Compares two values for a sort that puts the best first. */
export function bestFirst(metric: Better): (a: number, b: number) => number {
	return (a, b) => gain(metric, a, b);
}
