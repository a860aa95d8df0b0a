/** Plots with a vertical axis, as lines. */
import type { Run } from "../report/chart.ts";
import { fitted } from "../report/format.ts";
import type { Line } from "./line.ts";
import type { Tone } from "./theme.ts";

/** Cells of the axis: a label and a blank. */
export const AXIS_CELLS = 8;

/** A plot behind its axis, with the highest and the lowest value written at its ends. */
export function withAxis(rows: readonly Run[][], [low, high]: [number, number], tones: readonly Tone[]): Line[] {
	// As many decimals as are needed to distinguish the two ends.
	const digits = Math.min(5, Math.max(1, 1 - Math.floor(Math.log10(high - low))));
	return rows.map((runs, i): Line => {
		const value = i === 0 ? high : i === rows.length - 1 ? low : undefined;
		const label = value === undefined ? "" : fitted(value, AXIS_CELLS - 1, digits);
		return [
			[`${label.padStart(AXIS_CELLS - 1)} `, "quiet"],
			...runs.map(({ text, series }) => (series < 0 ? text : ([text, tones[series] ?? "quiet"] as const))),
		];
	});
}
