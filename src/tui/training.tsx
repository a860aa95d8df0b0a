/** The experiment being trained: the budget left, its progress, and its loss beside that of the best run. */
import type { Phase } from "../journal/events.ts";
import { inFlight, type State } from "../journal/state.ts";
import { bounds, type Point, plot, quantile } from "../report/chart.ts";
import { clock, compact, grouped, percent } from "../report/format.ts";
import { bar } from "./bar.ts";
import { AXIS_CELLS, withAxis } from "./chart-lines.ts";
import { inside, type Size } from "./layout.ts";
import { type Line, lineWidth, type Span } from "./line.ts";
import { Panel } from "./panel.tsx";
import { statusOf } from "./run-status.ts";
import { type Theme, useTheme } from "./theme.ts";
import { wrapTextTo } from "./wrap.ts";

export function TrainingPanel({
	state,
	now,
	size,
	framed,
}: {
	state: State;
	now: number;
	size: Size;
	framed: boolean;
}) {
	const theme = useTheme();
	const room = inside({ ...size, framed });
	const lines = trainingLines(state, now, room, theme);
	const experiment = inFlight(state);
	const title: Line = [["training", "strong"], experiment ? `  ${experiment.n}  ${experiment.title}`.trimEnd() : ""];
	return (
		<Panel
			{...size}
			title={title}
			aside={[[`budget ${clock(state.budgetSeconds)}`, "quiet"]]}
			lines={lines}
			framed={framed}
		/>
	);
}

function trainingLines(state: State, now: number, room: { width: number; height: number }, theme: Theme): Line[] {
	const { live } = state;
	const hasBegun = live.training?.n === live.n && FROM_TRAINING.includes(live.phase) && state.stopped === undefined;
	const isTraining = hasBegun && live.phase === "training";
	const lines: Line[] = isTraining ? progressLines(state, room.width, theme) : sentenceLines(state, now, room, theme);
	const left = room.height - lines.length;
	if (left < 5 || !hasBegun || live.curve.length < 2) return lines;
	return [...lines, ...curveLines(state, { width: room.width, height: left }, theme)];
}

/** The phases in which the loss curve belongs to the experiment in flight. */
const FROM_TRAINING: readonly Phase[] = ["training", "evaluating", "deciding"];

function sentenceLines(state: State, now: number, room: Size, { glyphs }: Theme): Line[] {
	const { sentence, ending, tone } = statusOf(state, now);
	return wrapTextTo(sentence, room.width, room.height, glyphs.ellipsis, ending).map((text): Line => [[text, tone]]);
}

function progressLines({ live, budgetSeconds }: State, cells: number, { glyphs }: Theme): Line[] {
	const progress = live.training!;
	const share = budgetSeconds > 0 ? progress.elapsed / budgetSeconds : 0;
	const countdown: Line = [` ${percent(share).padStart(4)}  `, [clock(progress.remaining), "strong"], " left"];
	const facts: [string, string][] = [
		["step", grouped(progress.step)],
		["loss", progress.loss.toFixed(4)],
		["tok/s", compact(progress.tokensPerSecond)],
		["memory", progress.memoryMb === undefined ? "" : `${(progress.memoryMb / 1024).toFixed(1)} GB`],
		["load", progress.load === undefined ? "" : percent(progress.load)],
		["lr", `x${progress.lrMultiplier.toFixed(2)}`],
		["epoch", `${progress.epoch}`],
	];
	return [[...bar(share, Math.max(4, cells - lineWidth(countdown)), glyphs), ...countdown], factLine(facts, cells)];
}

/** As many facts as fit without being cut. */
function factLine(facts: readonly [string, string][], cells: number): Line {
	const line: Span[] = [];
	for (const [name, value] of facts) {
		const entry: Line = [[`${line.length > 0 ? "   " : ""}${name} `, "quiet"], value];
		if (value && lineWidth(line) + lineWidth(entry) <= cells) line.push(...entry);
	}
	return line;
}

/** The loss of this run and of the best run at the same second, which shows a bad run before it ends. */
function curveLines({ live, budgetSeconds }: State, room: { width: number; height: number }, theme: Theme): Line[] {
	const curve = smooth(live.curve);
	const best = smooth(live.bestCurve);
	const values = [...curve, ...best].map(([, loss]) => loss).filter(Number.isFinite);
	if (values.length < 2) return [];
	// The steep fall at the beginning would flatten the rest, so it may leave the chart at the top.
	const [low, high] = bounds(Math.min(...values), quantile(values, 0.8));
	const chart = plot(
		[
			{ points: best, draw: "dashes", ascii: "." },
			{ points: curve, draw: "line", ascii: "*" },
		],
		{
			width: room.width - AXIS_CELLS,
			height: room.height - 1,
			x: [0, budgetSeconds],
			y: [low, high],
			ascii: theme.ascii,
		},
	);
	return [...withAxis(chart, [low, high], ["quiet", "accent"]), curveLegend(curve, best, theme)];
}

/** A running mean over about ten points: the loss varies more between batches than between two runs. */
function smooth(curve: readonly Point[]): Point[] {
	let [sum, weight] = [0, 0];
	return curve.map(([second, loss]): Point => {
		sum = sum * 0.9 + loss;
		weight = weight * 0.9 + 1;
		return [second, sum / weight];
	});
}

function curveLegend(curve: readonly Point[], best: readonly Point[], { ascii }: Theme): Line {
	const last = curve.at(-1);
	const legend: Line = [" ".repeat(AXIS_CELLS), [ascii ? "* " : "━ ", "accent"], ["loss", "quiet"]];
	if (best.length < 2) return legend;
	const rival = last && best.findLast(([second]) => second <= last[0]);
	const lead = last && rival ? rival[1] - last[1] : undefined;
	return [
		...legend,
		[`   ${ascii ? "." : "╍"} best run`, "quiet"],
		...(lead === undefined
			? []
			: ([
					["   "],
					[`${Math.abs(lead).toFixed(3)} ${lead >= 0 ? "ahead" : "behind"}`, lead >= 0 ? "good" : "warn"],
				] as Line)),
	];
}
