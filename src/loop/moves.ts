/** Moves of the branch that a human may ask for, and when they make sense. */
import { type State, standingOn } from "../journal/state.ts";

export type Move = { type: "revert" | "keep" | "base"; n: number };

/** Why the branch cannot make this move as things stand, in a sentence; undefined when it can. */
export function refusalOf({ type, n }: Move, state: State): string | undefined {
	const experiment = state.experiments[n - 1];
	const tip = standingOn(state)?.commit ?? state.base;
	if (!experiment) return `there is no experiment ${n}`;
	if (type === "revert") {
		if (tip === state.base) return "nothing to revert: the branch stands where the run began";
		return n === state.standing ? undefined : `the branch does not stand on experiment ${n} any more`;
	}
	if (experiment.value === undefined || !experiment.status || experiment.status === "crash")
		return `experiment ${n} was not measured`;
	if (n === state.standing) return `the branch stands on experiment ${n} already`;
	if (type === "keep" && experiment.parent !== tip)
		return `experiment ${n} was built on another commit than the branch stands on; make it the base instead`;
	return undefined;
}
