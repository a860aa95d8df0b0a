/** The lines above the footer: the version of program.md in use, and the last answer or notice. */
import { inFlight, type State } from "../journal/state.ts";
import { shortCommit, span, timeOfDay } from "../report/format.ts";
import { type Line, spreadLine } from "./line.ts";
import { Row } from "./row.tsx";
import { experimentsByProgram } from "./selectors.ts";
import { type Tone, useTheme } from "./theme.ts";
import type { StatusMessage } from "./ui.ts";

/** program.md: the version in use, its age, and whether the next proposal is the first to follow it. */
export function ProgramLine({ state, now, width }: { state: State; now: number; width: number }) {
	return <Row line={programLine(state, now)} cells={width} />;
}

function programLine(state: State, now: number): Line {
	const { version, lines, changedAt } = state.program;
	const problem = state.live.programProblem;
	if (problem) {
		const still = version ? `; version ${shortCommit(version)} stays in use` : "";
		return [" ", [`! ${problem}${still}`, "warn"]];
	}
	const name: Line = [" ", ["program.md", "strong"], " "];
	if (!version) return [...name, ["not read yet", "quiet"]];
	const age = span((now - Date.parse(changedAt)) / 1000);
	const steered = experimentsByProgram(state).get(version)?.length ?? 0;
	const next = inFlight(state) ? inFlight(state)!.program !== version : steered === 0;
	const effect: Line = next
		? [["  steers the next proposal", "accent"]]
		: [[`  has steered ${steered} ${steered === 1 ? "experiment" : "experiments"}`, "quiet"]];
	const waiting = state.notes.filter((note) => note.heardBy === undefined).length;
	const notes: Line =
		waiting > 0 ? [[`  ${waiting} ${waiting === 1 ? "note waits" : "notes wait"} for the next brief`, "accent"]] : [];
	return [
		...name,
		[shortCommit(version), "accent"],
		[`  ${lines} ${lines === 1 ? "line" : "lines"}  ${age} old`, "quiet"],
		...effect,
		...notes,
	];
}

/** The answer to the last key, or the last notice. */
export function NoticeLine({ state, message, width }: { state: State; message?: StatusMessage; width: number }) {
	const { glyphs } = useTheme();
	if (message) return <Row line={[" ", [message.text, message.tone]]} cells={width} />;
	const notice = state.notices.at(-1);
	if (!notice) return <Row line={[]} cells={width} />;
	return <Row line={spreadLine([" ", ...noticeLine(notice)], [], width, glyphs.ellipsis)} cells={width} />;
}

export function noticeLine({ at, level, text }: State["notices"][number]): Line {
	const sign = { info: "i", warn: "!", error: "!!" }[level];
	const tone: Tone = { info: "quiet" as const, warn: "warn" as const, error: "bad" as const }[level];
	return [
		[`${timeOfDay(at)} `, "quiet"],
		[`${sign} ${text}`, tone],
	];
}
