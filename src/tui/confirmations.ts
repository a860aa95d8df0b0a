/** Questions asked before a command that is hard to undo. Each choice says what will happen and how to undo it. */
import { isDeepStrictEqual } from "node:util";
import type { Command } from "../engine/engine.ts";
import { type Experiment, inFlight, type State, standingOn } from "../journal/state.ts";
import { refusalOf } from "../loop/moves.ts";

export interface ConfirmationChoice {
	key: string;
	label: string;
	/** What will happen, and how to undo it. */
	effect: string;
	/** Absent when the run has moved on since the question appeared: choosing it then does nothing. */
	command?: Command;
}

export interface Confirmation {
	title: string;
	choices: readonly ConfirmationChoice[];
}

/**
 * The question on the screen, updated with the question as it would be asked now. A choice whose command has changed is
 * disabled but keeps its place and its key: the user may already be pressing it.
 */
export function updateConfirmation(shown: Confirmation, now: Confirmation): Confirmation {
	const choices = shown.choices.map((choice): ConfirmationChoice => {
		const same = now.choices.find(({ command }) => isDeepStrictEqual(command, choice.command));
		return same ?? { ...choice, command: undefined, effect: "Too late: the run has moved on." };
	});
	return { ...shown, choices };
}

const numberAndTitle = ({ n, title }: Experiment) => (title ? `${n} "${title}"` : `${n}`);

export function confirmRevert(state: State): Confirmation {
	const choices: ConfirmationChoice[] = [];
	const running = inFlight(state);
	const base = standingOn(state);
	if (running)
		choices.push({
			key: "x",
			label: `the running experiment ${numberAndTitle(running)}`,
			effect:
				"Its run ends and its row says discard. Its commit and diff stay under its number. " +
				"This cannot be undone, but the idea can be tried again.",
			command: { type: "skip", n: running.n },
		});
	if (base && !refusalOf({ type: "revert", n: base.n }, state))
		choices.push({
			key: "l",
			label: `the last kept commit ${numberAndTitle(base)}`,
			effect: `The branch goes back to its parent and its row says reverted.${
				running ? ` Experiment ${running.n}, built on it, is skipped.` : ""
			} Undo: select ${base.n} and press b.`,
			command: { type: "revert", n: base.n },
		});
	return { title: "Force-revert what?", choices };
}

export function confirmBase(state: State, n: number): Confirmation {
	const experiment = state.experiments[n - 1]!;
	const running = inFlight(state);
	const undo = state.standing > 0 ? `select ${state.standing} and press b.` : "press r.";
	return {
		title: `Build on experiment ${numberAndTitle(experiment)} from now on?`,
		choices: refusalOf({ type: "base", n }, state)
			? []
			: [
					{
						key: "b",
						label: "make it the base",
						effect: `The branch moves to it; the next proposals start from its code.${
							running ? ` Experiment ${running.n} is skipped.` : ""
						} No commit is lost. Undo: ${undo}`,
						command: { type: "base", n },
					},
				],
	};
}

export function confirmKeep(state: State, n: number): Confirmation {
	const experiment = state.experiments[n - 1]!;
	const running = inFlight(state);
	return {
		title: `Keep experiment ${numberAndTitle(experiment)} against the gate's decision?`,
		choices: refusalOf({ type: "keep", n }, state)
			? []
			: [
					{
						key: "K",
						label: "keep it by hand",
						effect: `The branch moves to its commit and its row says that you kept it.${
							running ? ` Experiment ${running.n} is skipped.` : ""
						} Undo: press r.`,
						command: { type: "keep", n },
					},
				],
	};
}

export function confirmQuit(state: State): Confirmation {
	const running = inFlight(state);
	const resume = `"autoresearch tui --tag ${state.tag}" resumes the run.`;
	const interruption = running ? `Experiment ${running.n} is interrupted and runs again at the next start. ` : "";
	const later: ConfirmationChoice[] = [];
	if (state.stopAfter !== undefined)
		later.push({
			key: "g",
			label: "cancel the stop",
			effect: `The run does not stop after experiment ${state.stopAfter}.`,
			command: { type: "go-on" },
		});
	else if (running && !state.setAside)
		later.push({
			key: "a",
			label: `stop after experiment ${running.n}`,
			effect: `Waits for its result, then leaves. Undo: q, then g. ${resume}`,
			command: { type: "stop-after", n: running.n },
		});
	return {
		title: "Leave?",
		choices: [
			{
				key: "s",
				label: "stop the run now",
				effect: `${interruption}${resume}`,
				command: { type: "stop" },
			},
			...later,
		],
	};
}
