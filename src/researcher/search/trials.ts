/**
 * The values that the constants had in every experiment. The history records changes and the brief has the present
 * text: undoing the changes from the present commit back to the baseline, and then applying all of them forward, gives
 * the values of each commit.
 */
import type { Experiment } from "../../journal/state.ts";
import type { Brief } from "../researcher.ts";
import { type Constant, readValue, type Value } from "./constants.ts";

export type Assignment = ReadonlyMap<string, Value>;

/** One experiment's constants before and after its changes. */
export interface Trial {
	experiment: Experiment;
	before: Assignment;
	after: Assignment;
	/** Nothing but constants changed, so that the gain can be attributed to them. */
	pure: boolean;
	/** The metric before; absent when the parent was never measured. */
	parentValue?: number;
}

export interface TrialHistory {
	present: Assignment;
	/** Decided experiments whose constants are known, oldest first; the baseline is not among them. */
	trials: Trial[];
	/** Whether an experiment, decided or not, already had these constants in a file otherwise like the present one. */
	tried(assignment: Assignment): boolean;
}

interface Node {
	assignment: Assignment;
	/** Differs between files that differ in more than their constants. */
	structure: string;
	value?: number;
}

/** The commit whose text an experiment changed: after a restart that is not its parent. */
const parentOf = (e: Experiment) => e.basis ?? e.parent;

export function traceTrials(brief: Brief, constants: readonly Constant[]): TrialHistory {
	const present: Assignment = new Map(constants.map((c) => [c.name, c.value]));
	const all = [...brief.history, ...(brief.pending ?? [])];
	const byCommit = new Map(all.filter((e) => e.commit && e.commit !== e.parent).map((e) => [e.commit!, e]));
	const root = all[0]?.parent ?? "";
	const best = all.find((e) => e.n === brief.best);
	const presentCommit = best?.commit ?? root;

	let baseline = present;
	for (let e = byCommit.get(presentCommit); e; e = byCommit.get(parentOf(e))) baseline = apply(baseline, e, "from");

	const nodes = new Map<string, Node>();
	nodes.set(root, { assignment: baseline, structure: "", value: all.find((e) => e.commit === root)?.value });
	const keys = new Set([keyOf("", baseline)]);
	const trials: Trial[] = [];
	for (const e of all) {
		const parent = nodes.get(parentOf(e));
		if (!parent || e.commit === e.parent) continue;
		const after = apply(parent.assignment, e, "to");
		// A constant stands on a line of its own; more lines than constants means that something else changed too.
		const onlyConstants = e.changes.length > 0 && Math.max(e.added, e.removed) <= e.changes.length;
		const structure = onlyConstants ? parent.structure : String(e.n);
		keys.add(keyOf(structure, after));
		if (e.commit) nodes.set(e.commit, { assignment: after, structure, value: e.value });
		if (e.status) {
			trials.push({ experiment: e, before: parent.assignment, after, pure: onlyConstants, parentValue: parent.value });
		}
	}
	const structure = nodes.get(presentCommit)?.structure ?? "";
	keys.add(keyOf(structure, present));
	return { present, trials, tried: (assignment) => keys.has(keyOf(structure, assignment)) };
}

function apply(assignment: Assignment, { changes }: Experiment, side: "from" | "to"): Assignment {
	if (changes.length === 0) return assignment;
	const result = new Map(assignment);
	for (const change of changes) {
		const value = valueOfText(change[side]);
		if (value !== undefined && result.has(change.name)) result.set(change.name, value);
	}
	return result;
}

/** Parsed values by source text: parsing takes most of the time, and each brief repeats the texts of the one before. */
const texts = new Map<string, Value | undefined>();
function valueOfText(text: string): Value | undefined {
	if (!texts.has(text)) texts.set(text, readValue(text));
	return texts.get(text);
}

function keyOf(structure: string, assignment: Assignment): string {
	return JSON.stringify([structure, ...assignment.values()]);
}
