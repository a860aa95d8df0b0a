/** Finds out whether a proposal was tried before: the same constants, or the same lines on the same base. */
import { createTwoFilesPatch } from "diff";
import type { Change } from "../journal/events.ts";
import { changeOnlyConstants, constantsOf } from "./constant-changes.ts";
import { type Brief, type Evidence, Rejection, type SourceFile } from "./researcher.ts";
import { traceTrials } from "./search/trials.ts";

/** Experiments whose diffs are compared with a proposal's, newest first. */
const COMPARED = 40;

/**
 * @param files the files that the proposal changes
 * @param evidence where the diffs of experiments come from; without it only constants are compared
 * @throws Rejection that names the experiment, where there is one
 */
export async function rejectRepeat(
	brief: Brief,
	files: readonly SourceFile[],
	changes: readonly Change[],
	evidence?: Evidence,
): Promise<void> {
	const experiments = [...brief.history, ...(brief.pending ?? [])];
	const repeat = (n: number) =>
		new Rejection(`This repeats experiment ${n}, which is in the history. Propose something that was not tried.`);
	if (changeOnlyConstants(brief.files, files)) {
		const { present, tried } = traceTrials(
			brief,
			brief.files.flatMap(({ path, text }) => constantsOf(path, text)),
		);
		const after = new Map(present);
		for (const { path, text } of files) {
			for (const { name, value } of constantsOf(path, text)) if (after.has(name)) after.set(name, value);
		}
		if (tried(after)) {
			const same = experiments.findLast((e) => JSON.stringify(e.changes) === JSON.stringify(changes));
			throw same
				? repeat(same.n)
				: new Rejection("These constants were tried together before. Propose something that was not tried.");
		}
	}
	if (!evidence) return;
	const base = new Map(brief.files.map(({ path, text }) => [path, text]));
	const parent = brief.history.find((e) => e.n === brief.best)?.commit;
	const own = files.map(({ path, text }) => diffLines(patch(path, base.get(path)!, text))).join("\n");
	const siblings = experiments.filter((e) => e.parent === parent && e.commit && e.commit !== parent);
	for (const { n } of siblings.toReversed().slice(0, COMPARED)) {
		const diff = await evidence.diff(n).catch(() => "");
		if (diffLines(diff) === own) throw repeat(n);
	}
}

function patch(path: string, before: string, after: string): string {
	return createTwoFilesPatch(path, path, before, after, "", "", { context: 0 });
}

/**
 * The added and removed lines of a unified diff, without whitespace: two diffs with the same ones are the same idea.
 */
function diffLines(diff: string): string {
	const lines = diff.split("\n").filter((line) => /^[-+](?!--|\+\+)/.test(line));
	return lines.map((line) => line.replace(/\s+/g, "")).join("\n");
}
