/**
 * What is asked before something is done that one would not want done by a slip of the finger. Each choice says what will
 * happen and how to undo it.
 */
import type { Command } from "../engine/engine.ts";
import { best, type Experiment, inFlight, type State } from "../loop/state.ts";

export interface Choice {
	key: string;
	label: string;
	/** What will happen, and how to undo it. */
	says: string;
	command: Command;
	/** The screen closes once the run has ended. */
	leaves?: true;
}

export interface Ask {
	title: string;
	choices: readonly Choice[];
}

const named = ({ n, title }: Experiment) => (title ? `${n} "${title}"` : `${n}`);

export function askRevert(state: State): Ask {
	const choices: Choice[] = [];
	const running = inFlight(state);
	const kept = best(state);
	if (running)
		choices.push({
			key: "x",
			label: `the running experiment ${named(running)}`,
			says: `Its run ends and its row says discard. Its commit and diff stay under its number. This cannot be undone, but the idea can be tried again.`,
			command: { type: "skip" },
		});
	if (kept && kept.n > 1)
		choices.push({
			key: "l",
			label: `the last kept commit ${named(kept)}`,
			says: `The branch goes back to its parent and its row says reverted.${
				running ? ` Experiment ${running.n}, built on it, is skipped.` : ""
			} Undo: select ${kept.n} and press b.`,
			command: { type: "revert" },
		});
	return { title: "Force-revert what?", choices };
}

export function askBase(state: State, n: number): Ask {
	const experiment = state.experiments[n - 1]!;
	const running = inFlight(state);
	return {
		title: `Build on experiment ${named(experiment)} from now on?`,
		choices: [
			{
				key: "b",
				label: "make it the base",
				says: `The branch moves to it; the next proposals start from its code.${
					running ? ` Experiment ${running.n} is skipped.` : ""
				} No commit is lost. Undo: select ${state.best} and press b.`,
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
		choices: [
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
	return {
		title: "Leave?",
		choices: [
			{
				key: "s",
				label: "stop the run now",
				says: `${running ? `Experiment ${running.n} is set aside and measured again at the next start. ` : ""}${carriesOn}`,
				command: { type: "stop" },
				leaves: true,
			},
			...(running
				? [
						{
							key: "a",
							label: `stop after experiment ${running.n}`,
							says: `Waits for its result, then leaves. ${carriesOn}`,
							command: { type: "stop-after" },
							leaves: true,
						} as const,
					]
				: []),
		],
	};
}
