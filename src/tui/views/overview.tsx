/** The overview: the experiment in training, the proposal, the table, the chart and the notices. */
import { Box } from "ink";
import type { Experiment, State } from "../../journal/state.ts";
import { ExperimentsPanel } from "../experiments.tsx";
import { type Layout, rowsIn } from "../layout.ts";
import { ProgressChart } from "../progress-chart.tsx";
import { ProposalPanel } from "../proposal.tsx";
import { scrolled } from "../table.ts";
import { TrainingPanel } from "../training.tsx";
import { selectedIndex, type Ui } from "../ui.ts";
import { NoticesPanel } from "./notices.tsx";

export interface OverviewProps {
	state: State;
	now: number;
	ui: Ui;
	rows: readonly Experiment[];
	/** The committed diff of the proposal, if the draft has none. */
	diff?: string;
	layout: Layout;
}

export function Overview({ state, now, ui, rows, diff, layout }: OverviewProps) {
	const { framed } = layout;
	const index = selectedIndex(ui, rows);
	const top = scrolled(ui.top, index, rowsIn(layout.table, framed), rows.length);
	const training = <TrainingPanel state={state} now={now} size={layout.training} framed={framed} />;
	const selected = rows[index]?.n;
	const proposal = <ProposalPanel {...{ state, diff, selected, framed }} size={layout.proposal} />;
	const table = <ExperimentsPanel {...{ state, rows, top, index, framed }} query={ui.query} size={layout.table} />;
	if (!framed)
		return (
			<Box flexDirection="column">
				{training}
				{layout.proposal.height > 0 && proposal}
				{layout.table.height > 0 && table}
			</Box>
		);
	// Ink rewrites a row from its first change to its end, so the panels that change most are on the right.
	return (
		<Box>
			<Box flexDirection="column" width={layout.proposal.width}>
				{proposal}
				{table}
			</Box>
			<Box flexDirection="column" width={layout.training.width}>
				{training}
				<ProgressChart state={state} size={layout.chart} framed={framed} />
				{layout.notices.height > 0 && <NoticesPanel state={state} size={layout.notices} framed={framed} />}
			</Box>
		</Box>
	);
}
