/** A unified diff (https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html) as numbered lines. */
import { printable } from "../report/format.ts";
import type { Line } from "./line.ts";

export interface DiffLine {
	kind: "file" | "hunk" | "same" | "added" | "removed";
	/** Line number in the new file, or in the old one for a line that was removed. */
	number?: number;
	text: string;
}

export function parseDiff(diff: string): DiffLine[] {
	const lines: DiffLine[] = [];
	// The hunk's header says how many lines it has; only beyond them can `---` and `+++` be names of files.
	let [older, newer, olderLeft, newerLeft] = [0, 0, 0, 0];
	for (const raw of diff.split("\n")) {
		const text = printable(raw.slice(1));
		if (olderLeft > 0 || newerLeft > 0) {
			if (raw[0] === "+") {
				lines.push({ kind: "added", number: newer++, text });
				newerLeft--;
			} else if (raw[0] === "-") {
				lines.push({ kind: "removed", number: older++, text });
				olderLeft--;
			} else if (raw[0] === " " || raw === "") {
				lines.push({ kind: "same", number: newer++, text });
				older++;
				olderLeft--;
				newerLeft--;
			}
			continue;
		}
		const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)/.exec(raw);
		if (hunk) {
			[older, newer] = [Number(hunk[1]), Number(hunk[3])];
			[olderLeft, newerLeft] = [Number(hunk[2] ?? 1), Number(hunk[4] ?? 1)];
			lines.push({ kind: "hunk", text: printable(hunk[5]!.trim()) });
		} else if (raw.startsWith("+++ ")) {
			lines.push({ kind: "file", text: printable(raw.slice(4).replace(/^b\//, "").replace(/\t.*/, "")) });
		}
	}
	return lines;
}

/**
 * The diff with at most `context` unchanged lines around each change, for where there is little room; the first hunk's
 * header goes, and the file's name when there is only one.
 */
export function condensed(lines: readonly DiffLine[], context: number): DiffLine[] {
	const isChange = (line: DiffLine | undefined) => line?.kind === "added" || line?.kind === "removed";
	const files = lines.filter((line) => line.kind === "file").length;
	const firstHunk = lines.findIndex((line) => line.kind === "hunk");
	return lines.filter((line, i) => {
		if (line.kind === "file") return files > 1;
		if (line.kind === "hunk") return i !== firstHunk;
		return isChange(line) || lines.slice(Math.max(0, i - context), i + context + 1).some(isChange);
	});
}

/** What `diffLine` and the code begin with: number, sign and indentation. */
export const DIFF_HANG = /^[ \d]{4} [-+ :] \s*/;

/** How a line of a diff looks: its number, its sign, its text. The sign says what the colour says. */
export function diffLine(line: DiffLine): Line {
	const number = `${line.number ?? ""}`.padStart(4);
	switch (line.kind) {
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
