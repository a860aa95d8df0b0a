/** The metric by experiment, and the best so far as steps. */
import { useMemo } from "react";
import { type Better, bestFirst, isBetter } from "../journal/metric.ts";
import type { Experiment, State } from "../journal/state.ts";
import { bounds, type Point, plot, quantile } from "../report/chart.ts";
import { AXIS_CELLS, withAxis } from "./chart-lines.ts";
import { inside, type Size } from "./layout.ts";
import { type Line, spreadLine } from "./line.ts";
import { Panel } from "./panel.tsx";
import { type Theme, useTheme } from "./theme.ts";

export function ProgressChart({ state, size, framed }: { state: State; size: Size; framed: boolean }) {
	const theme = useTheme();
	const { experiments, metric } = state;
	const { width, height } = inside({ ...size, framed });
	const lines = useMemo(
		() => progressChartLines(experiments, metric, { width, height }, theme),
		[experiments, metric, width, height, theme],
	);
	const title: Line = [
		[metric.name, "strong"],
		["  by experiment, ", "quiet"],
		[`${metric.direction} is better`, "quiet"],
	];
	return <Panel {...size} title={title} lines={lines} framed={framed} />;
}

function progressChartLines(
	experiments: readonly Experiment[],
	metric: Better,
	{ width, height }: Size,
	theme: Theme,
): Line[] {
	const measured = experiments.filter((e): e is Experiment & { value: number } => e.value !== undefined);
	if (measured.length < 2) return [[["Appears with the second measured experiment.", "quiet"]]];
	const at = ({ n, value }: { n: number; value: number }): Point => [n, value];
	const kept = measured.filter((e) => e.status === "keep");
	const last = experiments.length;
	const steps = runningBest(kept, metric, last);
	// A few very bad results must not flatten the rest: the scale covers all kept ones and nine of ten of the others.
	const values = measured.map((e) => e.value);
	const tail = quantile(values, 0.9, bestFirst(metric));
	const shown = [...steps.map(([, value]) => value), tail];
	const range = bounds(Math.min(...shown), Math.max(...shown));
	const chart = plot(
		[
			{ points: measured.filter((e) => e.status !== "keep").map(at), draw: "dots", ascii: "." },
			{ points: kept.map(at), draw: "dots", ascii: "+" },
			{ points: steps, draw: "steps", ascii: "-" },
		],
		{ width: width - AXIS_CELLS, height: height - 1, x: [1, Math.max(2, last)], y: range, ascii: theme.ascii },
	);
	const foot = spreadLine(
		[" ".repeat(AXIS_CELLS), ["1", "quiet"]],
		[[`${last}`, "quiet"]],
		width,
		theme.glyphs.ellipsis,
	);
	return [...withAxis(chart, range, ["quiet", "good", "good"]), foot];
}

/** The best value so far after each kept experiment, up to the last experiment. */
function runningBest(kept: readonly { n: number; value: number }[], metric: Better, last: number): Point[] {
	const steps: Point[] = [];
	for (const { n, value } of kept) {
		if (isBetter(metric, value, steps.at(-1)?.[1])) steps.push([n, value]);
	}
	const end = steps.at(-1);
	return end ? [...steps, [last, end[1]]] : [];
}
