/**
 * results.tsv, in the format of karpathy/autoresearch: commit, val_bpb, memory_gb, status, description. Derived from
 * the state and rebuilt from it at will.
 */
import { renameSync, writeFileSync } from "node:fs";
import { oneLine } from "../text.ts";
import type { Experiment, State } from "./state.ts";

const HASH_LENGTH = 7;

export function resultsTsv(state: State): string {
	const header = ["commit", state.metric.name, "memory_gb", "status", "description"];
	const rows = state.experiments.filter(({ status }) => status).map(row);
	return [header, ...rows].map((cells) => `${cells.join("\t")}\n`).join("");
}

function row(experiment: Experiment): string[] {
	const { commit = "", value = 0, memoryGb = 0, status = "", title, reason = "" } = experiment;
	const measured = status !== "crash" && experiment.value !== undefined;
	const description = measured && !experiment.reverted ? title : `${title} [${reason}]`;
	return [
		commit.slice(0, HASH_LENGTH),
		(measured ? value : 0).toFixed(6),
		(measured ? memoryGb : 0).toFixed(1),
		status,
		oneLine(description),
	];
}

export function writeResults(path: string, state: State): void {
	writeFileSync(`${path}.new`, resultsTsv(state));
	renameSync(`${path}.new`, path);
}
