/**
 * results.tsv, in the format of karpathy/autoresearch: commit, val_bpb, memory_gb, status, description. Derived from the
 * state and rebuilt from it at will.
 */
import { renameSync, writeFileSync } from "node:fs";
import { bestFirst } from "./metric.ts";
import type { Experiment, State } from "./state.ts";
import type { Usage } from "./usage.ts";

const HASH_LENGTH = 7;

export function resultsTsv(state: State): string {
	const header = ["commit", state.metric.name, "memory_gb", "status", "description"];
	const rows = state.experiments.filter(({ status }) => status).map(row);
	return [header, ...rows].map((cells) => `${cells.join("\t")}\n`).join("");
}

function row(experiment: Experiment): string[] {
	const { commit = "", value = 0, memoryGb = 0, status = "", title, reason = "" } = experiment;
	const measured = status !== "crash" && experiment.value !== undefined;
	const told = measured && !experiment.reverted ? title : `${title} [${reason}]`;
	return [
		commit.slice(0, HASH_LENGTH),
		(measured ? value : 0).toFixed(6),
		(measured ? memoryGb : 0).toFixed(1),
		status,
		told.replace(/\s+/g, " ").trim(),
	];
}

export function writeResults(path: string, state: State): void {
	writeFileSync(`${path}.new`, resultsTsv(state));
	renameSync(`${path}.new`, path);
}

/** One experiment as `results --json` prints it. These names are a promise to people's scripts. */
export interface ResultRecord {
	n: number;
	commit: string | null;
	val_bpb: number | null;
	memory_gb: number | null;
	status: string | null;
	title: string;
	hypothesis: string;
	program: string;
	researcher: string;
	/** What its author expected to gain, in the metric; positive is better. */
	expected_gain: number | null;
	/** Spent on its proposal, dropped drafts and repairs included; null where the researcher does not count. */
	tokens: { input: number; output: number; cache_read: number; cache_write: number } | null;
	/** In the currency of the lab file's prices. */
	cost: number | null;
	seconds: Record<string, number>;
}

export function resultRecords(state: State): ResultRecord[] {
	return state.experiments.map((e) => ({
		n: e.n,
		commit: e.commit ?? null,
		val_bpb: e.status === "crash" ? null : (e.value ?? null),
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
	}));
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
