/** The records that `autoresearch results --json` prints. The table file results.tsv is journal/results-tsv.ts. */

import { bestFirst } from "../journal/metric.ts";
import type { State } from "../journal/state.ts";
import type { Usage } from "../journal/usage.ts";

/** One experiment as `results --json` prints it. Scripts depend on these names: do not rename them. */
export interface ResultRecord {
	n: number;
	commit: string | null;
	/** Name of the metric the lab measures. */
	metric: string;
	/** The metric; null while it is not measured, and for a crash. */
	value: number | null;
	/** The same value, for scripts written for karpathy/autoresearch: present only when the metric is val_bpb. */
	val_bpb?: number | null;
	/** Peak memory of the training run in GiB. */
	memory_gb: number | null;
	status: string | null;
	title: string;
	hypothesis: string;
	program: string;
	researcher: string;
	/** The gain its author expected, in units of the metric; positive is better. */
	expected_gain: number | null;
	/** Spent on its proposal, including dropped drafts and repairs; null when the researcher does not count. */
	tokens: { input: number; output: number; cache_read: number; cache_write: number } | null;
	/** In the currency of the prices in the lab file; null without prices. */
	cost: number | null;
	/** Seconds spent in each phase. */
	seconds: Record<string, number>;
}

export function resultRecords(state: State): ResultRecord[] {
	const metric = state.metric.name;
	return state.experiments.map((e) => {
		const value = e.status === "crash" ? null : (e.value ?? null);
		return {
			n: e.n,
			commit: e.commit ?? null,
			metric,
			value,
			...(metric === "val_bpb" ? { val_bpb: value } : {}),
			memory_gb: e.memoryGb ?? null,
			status: e.status ?? null,
			title: e.title,
			hypothesis: e.hypothesis,
			program: e.program,
			researcher: e.researcher,
			expected_gain: e.expectedGain ?? null,
			tokens: e.usage ? tokensRecord(e.usage) : null,
			cost: e.usage?.cost ?? null,
			seconds: e.seconds,
		};
	});
}

function tokensRecord(usage: Usage): ResultRecord["tokens"] {
	return {
		input: usage.inputTokens,
		output: usage.outputTokens,
		cache_read: usage.cacheReadTokens,
		cache_write: usage.cacheWriteTokens,
	};
}

/** What one version of program.md steered, as `results --by program --json` prints it. */
export interface ProgramRecord {
	program: string;
	experiments: number;
	kept: number;
	/** The best metric measured under it. */
	best: number | null;
	/** Numbers of the first and the last experiment it steered. */
	from: number;
	to: number;
}

export function programRecords(state: State): ProgramRecord[] {
	const groups = Map.groupBy(state.experiments, ({ program }) => program);
	return [...groups].map(([program, experiments]) => {
		const values = experiments.flatMap(({ value, status }) =>
			value !== undefined && status !== "crash" ? [value] : [],
		);
		const sorted = values.toSorted(bestFirst(state.metric));
		return {
			program,
			experiments: experiments.length,
			kept: experiments.filter(({ status }) => status === "keep").length,
			best: sorted[0] ?? null,
			from: experiments[0]!.n,
			to: experiments.at(-1)!.n,
		};
	});
}
