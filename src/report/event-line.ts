/** The line that `autoresearch run` prints for an event. */
import type { JournalEvent, Tick } from "../journal/events.ts";
import { best, type State, tally } from "../journal/state.ts";
import { oneLine } from "../text.ts";
import { percent } from "./format.ts";
import { gpuIdle } from "./gpu.ts";

/** The line for an event that `state` already holds, safe for a terminal; undefined for events without a line. */
export function eventLine(state: State, event: JournalEvent | Tick): string | undefined {
	const text = body(state, event);
	if (text === undefined) return undefined;
	const at = "at" in event ? new Date(event.at) : new Date();
	return `${time(at)}  ${oneLine(text)}`;
}

function time(at: Date): string {
	return at.toTimeString().slice(0, 8);
}

function body(state: State, event: JournalEvent | Tick): string | undefined {
	switch (event.type) {
		case "run.started":
			return (
				`run ${event.tag}: branch ${event.branch} from ${event.base.slice(0, 7)}, ` +
				`${event.budgetSeconds} s an experiment, researcher ${event.researcher}`
			);
		case "run.continued":
			return `run ${state.tag} resumed: ${tally(state).total} experiments so far`;
		case "run.paused":
			return "paused";
		case "run.resumed":
			return "resumed";
		case "run.stop-after":
			return event.n === undefined ? "the stop is cancelled" : `stops after #${event.n}`;
		case "run.stopped":
			return `stopped: ${event.reason}${bestResult(state)}${idleShare(state)}`;
		case "program.changed":
			return `program.md is now version ${event.version} (${event.lines} lines): it steers the next proposal`;
		case "experiment.proposed":
			return `#${event.n} ${event.title}${event.hypothesis ? `: ${event.hypothesis}` : ""}`;
		case "experiment.decided": {
			const { value, title } = state.experiments[event.n - 1]!;
			const measured = value === undefined ? "" : ` ${state.metric.name} ${value.toFixed(6)}`;
			return `#${event.n} ${event.status.toUpperCase()}${measured} (${event.reason}) ${title}`;
		}
		case "experiment.reverted": {
			const place = state.standing ? `#${state.standing}` : "its start";
			return `#${event.n} ${event.reason}; the branch is back at ${place}`;
		}
		case "experiment.adopted":
			return `#${event.n} ${event.reason}; the branch is on it`;
		case "experiment.requeued":
			return `#${event.n} interrupted (${event.reason}); it will be trained again`;
		case "note.added":
			return `note to the researcher: ${event.text}`;
		case "notice":
			return `${event.level === "info" ? "note" : event.level}: ${event.text}`;
		case "tick.phase":
			if (event.phase === "training") return `#${event.n} training for ${state.budgetSeconds} s`;
			if (event.phase === "waiting")
				return `waiting: ${event.note ?? ""}${event.until ? ` at ${time(new Date(event.until))}` : ""}`;
			return undefined;
		default:
			return undefined;
	}
}

function bestResult(state: State): string {
	const standing = best(state);
	const first = state.experiments[0];
	if (!standing?.value) return "";
	const from = first?.value !== undefined && first !== standing ? ` (baseline ${first.value.toFixed(6)})` : "";
	return `; best ${state.metric.name} ${standing.value.toFixed(6)} by #${standing.n}${from}`;
}

function idleShare({ experiments }: State): string {
	const idle = gpuIdle(experiments);
	return idle === undefined ? "" : `; the GPU idled ${percent(idle)} of the time`;
}
