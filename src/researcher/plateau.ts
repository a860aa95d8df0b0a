/**
 * What kind of change to ask for when nothing has been kept for a while. A pure function of the history, so that a
 * restarted run is in the same mode, and so that the console can show it.
 */
import type { Mode } from "../journal/events.ts";
import { type Better, bestFirst } from "../journal/metric.ts";
import type { Experiment } from "../journal/state.ts";

export interface BriefPlan {
	mode: Mode;
	/** The experiment to build on: the best one, except in a restart. */
	base: number;
	/** Decided experiments since the last keep. */
	stale: number;
}

/**
 * Karpathy's published run kept 23 of 126 experiments, about every fifth (karpathy/autoresearch), so eight without a
 * win count as a plateau. Each mode lasts for so many experiments without a win.
 */
const CYCLE: { mode: Mode; length: number }[] = [
	{ mode: "open", length: 8 },
	{ mode: "other-family", length: 6 },
	{ mode: "combine", length: 6 },
	{ mode: "bold", length: 8 },
	{ mode: "restart", length: 10 },
];
const CYCLE_LENGTH = CYCLE.reduce((sum, { length }) => sum + length, 0);

/**
 * The plan for the next experiment.
 * @param best number of the experiment the branch stands on
 */
export function planNext(history: readonly Experiment[], best: number, metric: Better): BriefPlan {
	const since = history.findLastIndex((e) => e.status === "keep") + 1;
	const stale = history.length - since;
	// "open" is not repeated: the cycle continues with "other-family".
	const first = CYCLE[0]!.length;
	const phase = stale < CYCLE_LENGTH ? stale : first + ((stale - first) % (CYCLE_LENGTH - first));
	let start = 0;
	const mode = CYCLE.find(({ length }) => {
		start += length;
		return phase < start;
	})!.mode;
	if (mode !== "restart") return { mode, base: best, stale };
	const restart = CYCLE.at(-1)!;
	const firstOfPhase = history.length - (phase - (start - restart.length));
	const round = Math.floor((stale - first) / (CYCLE_LENGTH - first));
	return { mode, base: restartBase(history, best, metric, firstOfPhase, round), stale };
}

/**
 * Where a restart builds: from the candidates as they were when the phase began, the round-th one; then on the best of
 * its own descendants, so that a restart can walk several steps away.
 */
function restartBase(
	history: readonly Experiment[],
	best: number,
	metric: Better,
	firstOfPhase: number,
	round: number,
): number {
	const compare = bestFirst(metric);
	const better = (a: Experiment, b: Experiment) => compare(a.value!, b.value!);
	const before = history.slice(0, firstOfPhase).filter((e) => e.commit && e.value !== undefined && e.n !== best);
	const discarded = before.filter((e) => e.status === "discard").toSorted(better);
	const kept = before.filter((e) => e.status === "keep").toReversed();
	// In turn the most promising discard, an earlier keep, the next discard, …
	const candidates: Experiment[] = [];
	for (let i = 0; i < Math.max(discarded.length, kept.length); i++) {
		for (const candidate of [discarded[i], kept[i]]) if (candidate) candidates.push(candidate);
	}
	const root = candidates[round % candidates.length];
	if (!root) return best;
	const family = new Map([[root.commit!, root]]);
	for (const e of history.slice(firstOfPhase)) {
		if (e.commit && e.value !== undefined && family.has(e.basis ?? e.parent)) family.set(e.commit, e);
	}
	return [...family.values()].toSorted(better)[0]!.n;
}
