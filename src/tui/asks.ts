/**
 * What is asked before something is done that one would not want done by a slip of the finger. Each choice says what will
 * happen and how to undo it.
 */
import { isDeepStrictEqual } from "node:util";
import type { Command } from "../engine/engine.ts";
import { type Experiment, inFlight, type State, standingOn } from "../journal/state.ts";
import { refusalOf } from "../loop/moves.ts";

export interface Choice {
	key: string;
	label: string;
	/** What will happen, and how to undo it. */
	says: string;
	/** Absent when things have changed since it was asked: then it does nothing. */
	command?: Command;
}

export interface Ask {
	title: string;
	choices: readonly Choice[];
}

/**
 * What was asked, as things stand now. A choice that would by now do something else than it says does nothing any more, but keeps
 * its place and its key: a finger may be on its way.
 */
export function updated(asked: Ask, now: Ask): Ask {
	const choices = asked.choices.map((choice): Choice => {
		const same = now.choices.find(({ command }) => isDeepStrictEqual(command, choice.command));
		return same ?? { ...choice, command: undefined, says: "Too late: this is not so any more." };
	});
	return { ...asked, choices };
}

const named = ({ n, title }: Experiment) => (title ? `${n} "${title}"` : `${n}`);

export function askRevert(state: State): Ask {
	const choices: Choice[] = [];
	const running = inFlight(state);
	const base = standingOn(state);
	if (running)
		choices.push({
			key: "x",
			label: `the running experiment ${named(running)}`,
			says: `Its run ends and its row says discard. Its commit and diff stay under its number. This cannot be undone, but the idea can be tried again.`,
			command: { type: "skip", n: running.n },
		});
	if (base && !refusalOf({ type: "revert", n: base.n }, state))
		choices.push({
			key: "l",
			label: `the last kept commit ${named(base)}`,
			says: `The branch goes back to its parent and its row says reverted.${
				running ? ` Experiment ${running.n}, built on it, is skipped.` : ""
			} Undo: select ${base.n} and press b.`,
			command: { type: "revert", n: base.n },
		});
	return { title: "Force-revert what?", choices };
}

export function askBase(state: State, n: number): Ask {
	const experiment = state.experiments[n - 1]!;
	const running = inFlight(state);
	const undo = state.standing > 0 ? `select ${state.standing} and press b.` : "r takes it back.";
	return {
		title: `Build on experiment ${named(experiment)} from now on?`,
		choices: refusalOf({ type: "base", n }, state)
			? []
			: [
					{
						key: "b",
						label: "make it the base",
						says: `The branch moves to it; the next proposals start from its code.${
							running ? ` Experiment ${running.n} is skipped.` : ""
						} No commit is lost. Undo: ${undo}`,
						command: { type: "base", n },
					},
				],
	};
}

export function askKeep(state: State, n: number): Ask {
	const experiment = state.experiments[n - 1]!;
	const running = inFlight(state);
	return {
		title: `Keep experiment ${named(experiment)} although the gate did not?`,
		choices: refusalOf({ type: "keep", n }, state)
			? []
			: [
					{
						key: "K",
						label: "keep it by hand",
						says: `The branch moves on to its commit and its row says that you kept it.${
							running ? ` Experiment ${running.n} is skipped.` : ""
						} Undo: r takes it back.`,
						command: { type: "keep", n },
					},
				],
	};
}

export function askQuit(state: State): Ask {
	const running = inFlight(state);
	const carriesOn = `"autoresearch tui --tag ${state.tag}" carries on with the same tag.`;
	const later: Choice[] = [];
	if (state.stopAfter !== undefined)
		later.push({
			key: "g",
			label: "go on after all",
			says: `The run does not stop after experiment ${state.stopAfter}.`,
			command: { type: "go-on" },
		});
	else if (running && !state.setAside)
		later.push({
			key: "a",
			label: `stop after experiment ${running.n}`,
			says: `Waits for its result, then leaves. Undo: q, then g. ${carriesOn}`,
			command: { type: "stop-after", n: running.n },
		});
	return {
		title: "Leave?",
		choices: [
			{
				key: "s",
				label: "stop the run now",
				says: `${running ? `Experiment ${running.n} is set aside and measured again at the next start. ` : ""}${carriesOn}`,
				command: { type: "stop" },
			},
			...later,
		],
	};
}
