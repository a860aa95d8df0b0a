/** A text longer than the screen: wrapped, scrolled, searched, and followed while it grows. */
import { useEffect, useMemo, useState } from "react";
import { useAction } from "./actions.ts";
import { inside, type Size } from "./layout.ts";
import { type Line, lineText, sliceLine } from "./line.ts";
import { Panel } from "./panel.tsx";
import { wrapLine } from "./wrap.ts";

export interface PagerProps {
	title: Line;
	aside?: Line;
	lines: readonly Line[];
	size: Size;
	framed: boolean;
	/** Matches the beginning of a line below which its other rows are indented; its indentation if absent. */
	hang?: RegExp;
	/** Stays at the end while the text grows, until the user scrolls up. */
	follow?: boolean;
	/** Called when the user stops following the end, or follows it again. */
	onFollow?(following: boolean): void;
}

export function Pager({ title, aside = [], lines, size, framed, hang, follow = false, onFollow }: PagerProps) {
	const room = inside({ ...size, framed });
	const [wanted, setTop] = useState(0);
	const [following, setFollowing] = useState(follow);
	const [search, setSearch] = useState("");
	const { rows, matches } = useMemo(() => wrapRows(lines, search, room.width, hang), [lines, search, room.width, hang]);
	const last = Math.max(0, rows.length - room.height);
	const top = following ? last : Math.min(wanted, last);

	const followOn = (on: boolean) => {
		setFollowing(on);
		if (on !== following) onFollow?.(on);
	};
	const scroll = (change: (top: number) => number) => {
		setTop((from) => Math.min(last, Math.max(0, change(following ? last : Math.min(from, last)))));
		followOn(false);
	};
	useAction((action) => {
		if (typeof action === "object") {
			setSearch(action.search);
			const found = wrapRows(lines, action.search, room.width, hang).matches;
			const first = found.find((i) => i >= top) ?? found[0];
			if (first !== undefined) scroll(() => first);
			return true;
		}
		switch (action) {
			case "up":
				scroll((from) => from - 1);
				return true;
			case "down":
				scroll((from) => from + 1);
				return true;
			case "page-up":
				scroll((from) => from - room.height + 1);
				return true;
			case "page-down":
				scroll((from) => from + room.height - 1);
				return true;
			case "top":
				scroll(() => 0);
				return true;
			case "bottom":
				if (follow) followOn(true);
				else scroll(() => last);
				return true;
			case "follow":
				setTop(top);
				followOn(follow && !following);
				return follow;
			case "next-match":
				if (search) scroll((from) => matches.find((i) => i > from) ?? from);
				return search !== "";
			case "previous-match":
				if (search) scroll((from) => matches.findLast((i) => i < from) ?? from);
				return search !== "";
			case "back":
				setSearch("");
				return search !== "";
			default:
				return false;
		}
	});
	// After the text shrank the window must not lie beyond its end.
	useEffect(() => setTop((from) => Math.min(from, last)), [last]);

	const shown = rows.slice(top, top + room.height);
	const said = [
		search && `/${search} ${matches.length} ${matches.length === 1 ? "line" : "lines"}`,
		following && "following",
		rows.length > room.height && `${top + 1}-${top + shown.length} of ${rows.length}`,
	];
	const where = said.filter(Boolean).join("  ");
	const state: Line = [...aside, aside.length > 0 && where ? "  " : "", [where, "quiet"]];
	return <Panel {...size} framed={framed} title={title} aside={state} lines={shown} />;
}

/** The lines as rows of the screen, and the indices of the rows that match the search. */
function wrapRows(lines: readonly Line[], search: string, cells: number, hang?: RegExp) {
	const rows: Line[] = [];
	const matches: number[] = [];
	for (const line of lines) {
		for (const row of wrapLine(search ? highlightMatches(line, search) : line, cells, hang)) {
			if (search && row.some((span) => span[1] === "selected")) matches.push(rows.length);
			rows.push(row);
		}
	}
	return { rows, matches };
}

/** The line with the matches of a search highlighted. */
function highlightMatches(line: Line, search: string): Line {
	const literal = search.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
	const text = lineText(line);
	const parts: Line[] = [];
	let from = 0;
	for (const { 0: match, index } of text.matchAll(new RegExp(literal, "giu"))) {
		parts.push(sliceLine(line, from, index), [[match, "selected"]]);
		from = index + match.length;
	}
	return from > 0 ? [...parts.flat(), ...sliceLine(line, from, text.length)] : line;
}
