/**
 * A unified diff (https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html) as numbered lines. A
 * text that is not a diff becomes plain lines, so that the user still sees it.
 */
import { parsePatch, type StructuredPatchHunk } from "diff";
import { printable } from "../text.ts";
import type { Line } from "./line.ts";

export interface DiffLine {
	kind: "file" | "hunk" | "same" | "added" | "removed" | "text";
	/** Line number in the new file, or in the old one for a line that was removed. */
	number?: number;
	text: string;
}

/** The lines of a diff, safe for a terminal. It never throws. */
export function parseDiff(diff: string): DiffLine[] {
	const lines = patchLines(diff) ?? [];
	return lines.length > 0 ? lines : plainLines(diff);
}

/** Undefined when the diff cannot be parsed. */
function patchLines(diff: string): DiffLine[] | undefined {
	// parsePatch drops the text after the second @@, where git names the function that contains the hunk.
	const headings = diff.matchAll(/^@@ -\S+ \+\S+ @@(.*)/gm);
	try {
		return parsePatch(diff).flatMap(({ newFileName = "", hunks }): DiffLine[] => {
			const name = newFileName.replace(/^b\//, "");
			return [
				...(name ? [{ kind: "file" as const, text: printable(name) }] : []),
				...hunks.flatMap((hunk) => hunkLines(hunk, headings.next().value?.[1] ?? "")),
			];
		});
	} catch {
		return undefined;
	}
}

function hunkLines({ oldStart, newStart, lines }: StructuredPatchHunk, heading: string): DiffLine[] {
	let [older, newer] = [oldStart, newStart];
	return [
		{ kind: "hunk", text: printable(heading.trim()) },
		...lines.flatMap((line): DiffLine[] => {
			const text = printable(line.slice(1));
			// "\ No newline at end of file".
			if (line[0] === "\\") return [];
			if (line[0] === "+") return [{ kind: "added", number: newer++, text }];
			if (line[0] === "-") return [{ kind: "removed", number: older++, text }];
			older++;
			return [{ kind: "same", number: newer++, text }];
		}),
	];
}

function plainLines(text: string): DiffLine[] {
	const lines = text.trimEnd().split("\n");
	return text.trim() ? lines.map((line) => ({ kind: "text", text: printable(line) })) : [];
}

/**
 * The diff for a small panel: at most `context` unchanged lines around each change, without the first hunk's header,
 * and without the file's name when there is only one file.
 */
export function condensed(lines: readonly DiffLine[], context: number): DiffLine[] {
	const isChange = (line: DiffLine | undefined) => line?.kind === "added" || line?.kind === "removed";
	const files = lines.filter((line) => line.kind === "file").length;
	const firstHunk = lines.findIndex((line) => line.kind === "hunk");
	return lines.filter((line, i) => {
		if (line.kind === "text") return true;
		if (line.kind === "file") return files > 1;
		if (line.kind === "hunk") return i !== firstHunk;
		return isChange(line) || lines.slice(Math.max(0, i - context), i + context + 1).some(isChange);
	});
}

/** The beginning of a line that `diffLine` makes: number, sign and the code's indentation. */
export const DIFF_HANG = /^[ \d]{4} [-+ :] \s*/;

/** How a line of a diff looks: its number, its sign, its text. The sign tells what the colour tells. */
export function diffLine(line: DiffLine): Line {
	const number = `${line.number ?? ""}`.padStart(4);
	switch (line.kind) {
		case "text":
			return [line.text];
		case "file":
			return [[line.text, "strong"]];
		case "hunk":
			return [[`   : ${line.text}`, "quiet"]];
		case "same":
			return [[`${number}   ${line.text}`, "quiet"]];
		case "added":
			return [
				[number, "quiet"],
				[` + ${line.text}`, "good"],
			];
		case "removed":
			return [
				[number, "quiet"],
				[` - ${line.text}`, "bad"],
			];
	}
}
