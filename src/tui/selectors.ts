/**
 * Values derived from all experiments. A progress tick does not change `state.experiments`, so each value is kept as
 * long as that array is in use: a table of ten thousand experiments costs nothing while one is trained.
 */

import type { Status } from "../journal/events.ts";
import { bestFirst, gain } from "../journal/metric.ts";
import { type Experiment, type State, type Tally, tally } from "../journal/state.ts";
import { addUsage, spent, tokensOf } from "../journal/usage.ts";
import { gpuIdle } from "../report/gpu.ts";

function memoize<T>(derive: (state: State) => T): (state: State) => T {
	const known = new WeakMap<readonly Experiment[], T>();
	return (state) => {
		const answer = known.get(state.experiments) ?? derive(state);
		known.set(state.experiments, answer);
		return answer;
	};
}

export const countsOf: (state: State) => Tally = memoize(tally);

/** Tokens read and written by the researcher so far, and their cost if prices are configured. */
export function spentOf(state: State): { tokens: number; cost: number } {
	const { spentAhead } = state;
	const usage = spentAhead ? addUsage(spentOnStarted(state), spentAhead) : spentOnStarted(state);
	return { tokens: usage ? tokensOf(usage) : 0, cost: usage?.cost ?? 0 };
}

const spentOnStarted = memoize(({ experiments }) => spent({ experiments }));

/** Share of the run in which the GPU idled; undefined when it was not measured. */
export const gpuIdleOf = memoize(({ experiments }) => gpuIdle(experiments));

/** The metric of every commit that proposals were built on. */
const valuesByCommit = memoize((state) => {
	const values = new Map<string, number>();
	for (const { commit, value } of state.experiments) if (commit && value !== undefined) values.set(commit, value);
	return values;
});

/** The gain over the experiment it was built on, positive is better; undefined when either is not measured. */
export function gainOf(state: State, experiment: Experiment): number | undefined {
	const reference = valuesByCommit(state).get(experiment.parent);
	if (experiment.value === undefined || reference === undefined || experiment.commit === experiment.parent) return;
	return gain(state.metric, reference, experiment.value);
}

/** The numbers of the experiments that each version of program.md steered. */
export const experimentsByProgram = memoize((state) => {
	const numbers = new Map<string, number[]>();
	for (const { program, n } of state.experiments) {
		const steered = numbers.get(program);
		if (steered) steered.push(n);
		else numbers.set(program, [n]);
	}
	return numbers;
});

/** Whether a proposal waits for the user's yes or no. */
export function awaitsApproval({ live }: State): boolean {
	return live.phase === "approving";
}

export const FILTERS = ["all", "keep", "discard", "crash"] as const;
export const SORTS = ["newest", "oldest", "best"] as const;

export interface Query {
	filter: "all" | Status;
	sort: (typeof SORTS)[number];
	/** Part of a title, or a number. */
	search: string;
}

/** The experiments the table shows, in its order. Unmeasured ones come last when sorted by the metric. */
export function filterExperiments(state: State, { filter, sort, search }: Query): readonly Experiment[] {
	const needle = search.toLowerCase();
	const matches = (e: Experiment) =>
		(filter === "all" || e.status === filter) &&
		(needle === "" || `${e.n}` === needle || e.title.toLowerCase().includes(needle));
	const all = filter === "all" && needle === "" ? state.experiments : state.experiments.filter(matches);
	if (sort === "oldest") return all;
	if (sort === "newest") return all.toReversed();
	const compare = bestFirst(state.metric);
	return all.toSorted((a, b) => {
		if (a.value === undefined || b.value === undefined)
			return Number(a.value === undefined) - Number(b.value === undefined) || b.n - a.n;
		return compare(a.value, b.value) || b.n - a.n;
	});
}
