/** The results table: what every experiment tried and its result. */
import type { Experiment, State } from "../journal/state.ts";
import { fitted, shortCommit, timeOfDay } from "../report/format.ts";
import { cellWidth } from "./cells.ts";
import { inside, type Size } from "./layout.ts";
import type { Line } from "./line.ts";
import { Panel } from "./panel.tsx";
import { awaitsApproval, gainOf, type Query } from "./selectors.ts";
import { type Column, tableLines } from "./table.ts";
import { type Tone, useTheme } from "./theme.ts";

export interface ExperimentsPanelProps {
	state: State;
	/** The experiments that match the query, in its order. */
	rows: readonly Experiment[];
	query: Query;
	top: number;
	/** Index of the selected row. */
	index: number;
	size: Size;
	framed: boolean;
}

export function ExperimentsPanel({ state, rows, query, top, index, size, framed }: ExperimentsPanelProps) {
	const theme = useTheme();
	const room = inside({ ...size, framed });
	const lines: Line[] =
		rows.length === 0
			? [[[emptyText(state, query), "quiet"]]]
			: tableLines(
					{
						data: rows,
						columns: columnsFor(state, room.width),
						padding: 2,
						header: "quiet",
						cell: (experiment, column) => toneOf(experiment, column.name),
						top,
						selected: index,
						...room,
					},
					theme,
				);
	const asked = queryText(query, rows.length, state.experiments.length);
	const title: Line = [
		["experiments", "strong"],
		[asked && `  ${asked}`, "quiet"],
	];
	const aside: Line = rows.length > 0 ? [[`${index + 1}/${rows.length}`, "quiet"]] : [];
	return <Panel {...size} title={title} aside={aside} lines={lines} framed={framed} />;
}

function emptyText(state: State, query: Query): string {
	if (state.experiments.length === 0) return "No experiment yet: the first one measures the baseline.";
	return `Nothing matches${query.search ? ` "${query.search}"` : ""}; Esc shows all.`;
}

function queryText({ filter, sort, search }: Query, shown: number, total: number): string {
	const parts = [
		filter !== "all" && `only ${filter}`,
		sort !== "newest" && `${sort} first`,
		search && `/${search}`,
		shown !== total && `${shown} of ${total}`,
	];
	return parts.filter(Boolean).join("  ");
}

/** The sign and the word of an outcome, since colour alone must not tell it. */
export function outcomeLabel(state: State, experiment: Experiment): string {
	switch (experiment.status) {
		case "keep":
			if (experiment.n === state.best) return "* best";
			if (experiment.n === state.standing) return "+ base";
			return experiment.byHand ? "+ by hand" : "+ keep";
		case "discard":
			return experiment.reverted ? "- undone" : "- discard";
		case "crash":
			return "! crash";
		case undefined:
			if (experiment.n !== state.live.n || state.stopped !== undefined) return "> open";
			if (state.setAside) return "= paused";
			return awaitsApproval(state) ? "? y or n" : "> running";
	}
}

/** Cells of the metric's column: its name may be longer than its values. */
const METRIC = { least: 8, most: 10 };
const GAIN = 9;

function columnsFor(state: State, cells: number): Column<Experiment>[] {
	const metricCells = Math.min(METRIC.most, Math.max(METRIC.least, cellWidth(state.metric.name)));
	const columns: Column<Experiment>[] = [
		{ name: "#", width: Math.max(3, `${state.experiments.length}`.length), align: "right", text: (e) => `${e.n}` },
		{ name: "result", width: 9, text: (e) => outcomeLabel(state, e) },
		{
			name: state.metric.name,
			width: metricCells,
			align: "right",
			text: (e) => (e.value === undefined ? "" : fitted(e.value, metricCells)),
		},
		{
			name: "gain",
			width: GAIN,
			align: "right",
			text: (e) => {
				const gain = gainOf(state, e);
				return gain === undefined ? "" : (gain < 0 ? "" : "+") + fitted(gain, GAIN - (gain < 0 ? 0 : 1));
			},
		},
	];
	if (cells >= 84)
		columns.push({
			name: "GB",
			width: 4,
			align: "right",
			text: (e) => (e.memoryGb === undefined ? "" : e.memoryGb.toFixed(1)),
		});
	if (cells >= 96) columns.push({ name: "commit", width: 7, text: (e) => shortCommit(e.commit ?? "") });
	if (cells >= 104) columns.push({ name: "at", width: 5, text: (e) => (e.decidedAt ? timeOfDay(e.decidedAt) : "") });
	columns.push({ name: "what was tried", text: tried });
	return columns;
}

/** What was tried, and the reason of a crash. */
function tried({ title, status, reason }: Experiment): string {
	if (status === "crash") return [title, reason].filter(Boolean).join(": ");
	return title || (status ? (reason ?? "") : "being proposed");
}

function toneOf({ status, value }: Experiment, column: string): Tone | undefined {
	if (status === "crash") return column === "result" ? "bad" : "quiet";
	if (status === "discard") return "quiet";
	if (status === "keep") return column === "what was tried" ? undefined : "good";
	return value === undefined && column === "result" ? "accent" : undefined;
}
