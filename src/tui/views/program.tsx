/** program.md: its versions, the text of one or its diff from the one before, and the experiments each steered. */
import { createTwoFilesPatch } from "diff";
import { useState } from "react";
import type { Files, ProgramVersion } from "../../engine/engine.ts";
import type { State } from "../../journal/state.ts";
import { shortCommit, timeOfDay } from "../../report/format.ts";
import { useAction } from "../actions.ts";
import { DIFF_HANG, diffLine, parseDiff } from "../diff-lines.ts";
import type { Size } from "../layout.ts";
import type { Line } from "../line.ts";
import { Pager } from "../pager.tsx";
import { experimentsByProgram } from "../selectors.ts";
import { useRead } from "../use-read.ts";

export function ProgramView({
	state,
	files,
	size,
	framed,
}: {
	state: State;
	files: Files;
	size: Size;
	framed: boolean;
}) {
	const { value: versions, problem } = useRead(state.program.version, () => files.programs());
	/** How many versions before the last the shown one is. */
	const [back, setBack] = useState(0);
	const [asDiff, setAsDiff] = useState(false);
	const last = (versions?.length ?? 1) - 1;
	useAction((action) => {
		if (action === "older") setBack((from) => Math.min(last, from + 1));
		else if (action === "newer") setBack((from) => Math.max(0, from - 1));
		else if (action === "switch") setAsDiff((was) => !was);
		else return false;
		return true;
	});
	if (!versions || versions.length === 0) {
		const text = problem ?? (versions ? "No version of program.md has steered this run yet." : "reading");
		return <Pager title={PROGRAM_TITLE} lines={[[[text, problem ? "warn" : "quiet"]]]} size={size} framed={framed} />;
	}
	const index = Math.max(0, last - back);
	const version = versions[index]!;
	const before = versions[index - 1];
	const title: Line = [
		...PROGRAM_TITLE,
		"  ",
		[shortCommit(version.version), "accent"],
		`  version ${index + 1} of ${versions.length}, ${timeOfDay(version.at)}`,
		[`  ${steered(state, version.version)}`, "quiet"],
	];
	return (
		<Pager
			key={`${version.version} ${asDiff}`}
			title={title}
			lines={asDiff ? differenceLines(before, version) : textLines(version)}
			size={size}
			framed={framed}
			hang={asDiff ? DIFF_HANG : TEXT_HANG}
		/>
	);
}

const PROGRAM_TITLE: Line = [["program.md", "strong"]];
/** An indentation, and the sign of a list item. */
const TEXT_HANG = /^\s*(?:(?:[-*+>]|\d+[.)])\s+)?/;

/** `steered 3-7, 9`. */
function steered(state: State, version: string): string {
	const numbers = experimentsByProgram(state).get(version) ?? [];
	if (numbers.length === 0) return "steered nothing yet";
	const ranges: [number, number][] = [];
	for (const n of numbers) {
		const open = ranges.at(-1);
		if (open && open[1] === n - 1) open[1] = n;
		else ranges.push([n, n]);
	}
	return `steered ${ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(", ")}`;
}

/** The Markdown source, with its headings in bold. */
function textLines({ text }: ProgramVersion): Line[] {
	return text
		.trimEnd()
		.split("\n")
		.map((line): Line => (line.startsWith("#") ? [[line, "strong"]] : [line]));
}

function differenceLines(before: ProgramVersion | undefined, after: ProgramVersion): Line[] {
	if (!before) return [[["The first version; there is none before it.", "quiet"]]];
	const patch = createTwoFilesPatch("program.md", "program.md", before.text, after.text, "", "", { context: 3 });
	return parseDiff(patch).map(diffLine);
}
