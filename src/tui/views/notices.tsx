/** The loop's notices, and the user's notes to the researcher. */
import type { State } from "../../journal/state.ts";
import { timeOfDay } from "../../report/format.ts";
import { inside, type Size } from "../layout.ts";
import type { Line } from "../line.ts";
import { Pager } from "../pager.tsx";
import { Panel } from "../panel.tsx";
import { noticeLine } from "../status-lines.tsx";

/** Notices and notes, oldest first. */
function noticeLines({ notices, notes }: State): Line[] {
	const fromLoop = notices.map((notice) => ({ at: notice.at, line: noticeLine(notice) }));
	const fromUser = notes.map(({ at, text, heardBy }) => ({
		at,
		line: [
			[`${timeOfDay(at)} `, "quiet"],
			["> ", "accent"],
			text,
			[heardBy === undefined ? "  waits for the next brief" : `  read by experiment ${heardBy}`, "quiet"],
		] as Line,
	}));
	return [...fromLoop, ...fromUser].sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ line }) => line);
}

const NO_NOTICES: Line[] = [[["Nothing to report.", "quiet"]]];
const NOTICES_TITLE: Line = [["notices", "strong"]];
/** The time and the sign. */
const HANG = /^\S+ \S+ /;

/** The latest notices, as a part of the overview. */
export function NoticesPanel({ state, size, framed }: { state: State; size: Size; framed: boolean }) {
	const lines = noticeLines(state).slice(-inside({ ...size, framed }).height);
	return <Panel {...size} title={NOTICES_TITLE} lines={lines.length > 0 ? lines : NO_NOTICES} framed={framed} />;
}

/** All notices. */
export function NoticesView({ state, size, framed }: { state: State; size: Size; framed: boolean }) {
	const lines = noticeLines(state);
	const shown = lines.length > 0 ? lines : NO_NOTICES;
	return <Pager title={NOTICES_TITLE} lines={shown} size={size} framed={framed} hang={HANG} follow />;
}
