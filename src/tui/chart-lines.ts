/** Plots with their vertical axis, as lines. */
import type { Run } from "../report/chart.ts";
import type { Line } from "./line.tsx";
import type { Tone } from "./theme.ts";

/** A plot behind its axis: the highest and the lowest value written at the edges, six cells wide and a blank. */
export function axis(
	rows: readonly Run[][],
	[low, high]: [number, number],
	digits: number,
	tones: readonly Tone[],
): Line[] {
	return rows.map((runs, i): Line => {
		const label = i === 0 ? high.toFixed(digits) : i === rows.length - 1 ? low.toFixed(digits) : "";
		return [
			[`${label.padStart(6)} `, "quiet"],
			...runs.map(({ text, series }) => (series < 0 ? text : ([text, tones[series] ?? "quiet"] as const))),
		];
	});
}
