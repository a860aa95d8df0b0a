/** One experiment as one text: its title, its result, its numbers, then its diff or its log. */
import { useState } from "react";
import type { Files } from "../../engine/engine.ts";
import type { Experiment, State } from "../../journal/state.ts";
import { compact, grouped, metric, seconds, shortCommit, signed, timeOfDay } from "../../report/format.ts";
import { gpuUse } from "../../report/gpu.ts";
import { useAction } from "../actions.ts";
import { cellWidth } from "../cells.ts";
import { DIFF_HANG, diffLine, parseDiff } from "../diff-lines.ts";
import { outcomeLabel } from "../experiments.tsx";
import { inside, type Size } from "../layout.ts";
import type { Line } from "../line.ts";
import { Pager } from "../pager.tsx";
import { MODE_TEXT } from "../proposal.tsx";
import { gainOf } from "../selectors.ts";
import { useLog, useRead } from "../use-read.ts";
import { logLines } from "./log.tsx";

export interface ExperimentViewProps {
	state: State;
	files: Files;
	n: number;
	size: Size;
	framed: boolean;
}

export function ExperimentView({ state, files, n, size, framed }: ExperimentViewProps) {
	const [showsLog, setShowsLog] = useState(false);
	const experiment = state.experiments[n - 1]!;
	const isLive = experiment.status === undefined;
	const diff = useRead(experiment.commit && `${n} ${experiment.commit}`, () => files.diff(n));
	const log = useLog(files, showsLog ? n : undefined, isLive);
	useAction((action) => {
		if (action === "switch") setShowsLog((was) => !was);
		return action === "switch";
	});
	const facts = factLines(state, experiment, inside({ ...size, framed }).width);
	const text = showsLog ? logLines(log) : diffSection(experiment, diff, state);
	const title: Line = [
		["experiment", "strong"],
		`  ${n} of ${state.experiments.length}`,
		[showsLog ? "  log" : "  diff", "strong"],
		[showsLog ? "  tab: diff" : "  tab: log", "quiet"],
	];
	return (
		<Pager
			key={`${n} ${showsLog}`}
			title={title}
			aside={[[outcomeLabel(state, experiment), "strong"]]}
			lines={[...facts, [], ...text]}
			size={size}
			framed={framed}
			hang={showsLog ? undefined : DIFF_HANG}
			follow={showsLog && isLive}
		/>
	);
}

function diffSection(
	experiment: Experiment,
	{ value, problem }: { value?: string; problem?: string },
	state: State,
): Line[] {
	const drafted = state.live.draft?.n === experiment.n ? state.live.draft.diff : undefined;
	const diff = value ?? drafted;
	if (problem && !diff) return [[[problem, "warn"]]];
	if (diff === undefined) return [[[experiment.commit ? "reading" : "Nothing is committed yet.", "quiet"]]];
	if (diff === "") return [[["No change: it measures the code as it was.", "quiet"]]];
	return parseDiff(diff).map(diffLine);
}

/** The result comes first, so that a long hypothesis does not push it off the screen. */
function factLines(state: State, e: Experiment, cells: number): Line[] {
	const gain = gainOf(state, e);
	const numbers: [string, string | undefined][] = [
		[state.metric.name, e.value === undefined ? undefined : metric(e.value)],
		["gain", gain === undefined ? undefined : signed(gain)],
		["expected gain", e.expectedGain === undefined ? undefined : signed(e.expectedGain)],
		["memory", e.memoryGb === undefined ? undefined : `${e.memoryGb.toFixed(1)} GB`],
		["steps", e.summary?.steps === undefined ? undefined : grouped(e.summary.steps)],
		["tokens", e.summary?.tokensM === undefined ? undefined : `${e.summary.tokensM.toFixed(1)}M`],
		["parameters", e.summary?.paramsM === undefined ? undefined : `${e.summary.paramsM.toFixed(1)}M`],
		["training loss", e.summary?.trainLoss?.toFixed(4)],
		["GPU", e.summary?.gpu && gpuUse(e.summary.gpu)],
	];
	const phases = Object.entries(e.seconds).map(([phase, spent]): [string, string] => [phase, seconds(spent)]);
	const origin: [string, string | undefined][] = [
		["commit", e.commit && shortCommit(e.commit)],
		["on", shortCommit(e.parent)],
		["drafted from", e.basis && shortCommit(e.basis)],
		["asked for", e.mode && MODE_TEXT[e.mode]],
		["lines", e.added + e.removed > 0 ? `+${e.added} -${e.removed}` : undefined],
		["by", e.researcher],
		["program.md", shortCommit(e.program)],
		["at", e.decidedAt && timeOfDay(e.decidedAt)],
		["restarted", e.requeued ? `${e.requeued} ${e.requeued === 1 ? "time" : "times"}` : undefined],
		["repaired", e.repairs ? `${e.repairs} ${e.repairs === 1 ? "time" : "times"}` : undefined],
		["tokens", e.usage && compact(e.usage.inputTokens + e.usage.outputTokens)],
	];
	const changes = e.changes.map(({ name, from, to }): [string, string] => [name, `${from} -> ${to}`]);
	return [
		[[e.title || "being proposed", "strong"]],
		...(e.reason ? [[[e.reason, e.status === "crash" ? "bad" : "accent"]] as Line] : []),
		...pairs(numbers, cells),
		...(e.hypothesis ? [[e.hypothesis]] : []),
		...pairs(phases, cells),
		...pairs(origin, cells),
		...pairs(changes, cells),
	];
}

/** Names with their values, as many on a line as fit. */
function pairs(entries: readonly (readonly [string, string | undefined])[], cells: number): Line[] {
	const lines: Line[][] = [];
	let left = 0;
	for (const [name, value] of entries) {
		if (!value) continue;
		const size = cellWidth(name) + cellWidth(value) + 4;
		if (left < size) {
			lines.push([]);
			left = cells;
		}
		lines.at(-1)!.push([[`${name} `, "quiet"], value, "   "]);
		left -= size;
	}
	return lines.map((line) => line.flat());
}
