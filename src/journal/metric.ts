/** The metric a lab is judged by. Nothing else in src/ knows which direction is better. */
export interface Metric {
	name: string;
	direction: "lower" | "higher";
}

/**
 * How much better `value` is than `reference`, in the metric's unit: positive is better, whichever way the metric
 * points.
 */
export function gain({ direction }: Pick<Metric, "direction">, reference: number, value: number): number {
	return direction === "lower" ? reference - value : value - reference;
}

/** Whether `value` is strictly better than `reference`; anything is better than none. */
export function isBetter(metric: Pick<Metric, "direction">, value: number, reference: number | undefined): boolean {
	return reference === undefined || gain(metric, reference, value) > 0;
}

/** Compares two values for a sort that puts the best first. */
export function bestFirst(metric: Pick<Metric, "direction">): (a: number, b: number) => number {
	return (a, b) => gain(metric, a, b);
}
