/** A text longer than the screen: scrolled, searched, and followed while it grows. */
import { useEffect, useState } from "react";
import { useDeeds } from "./actions.ts";
import type { Size } from "./layout.ts";
import type { Line, Span } from "./line.tsx";
import { inside, Panel } from "./panel.tsx";

export interface PagerProps {
	title: Line;
	aside?: Line;
	lines: readonly Line[];
	size: Size;
	framed: boolean;
	/** Stays at the end while the text grows, until someone scrolls up. */
	follow?: boolean;
}

const textOf = (line: Line) => line.map((span) => (typeof span === "string" ? span : span[0])).join("");

export function Pager({ title, aside = [], lines, size, framed, follow = false }: PagerProps) {
	const room = inside({ ...size, framed });
	const last = Math.max(0, lines.length - room.height);
	const [wanted, setTop] = useState(0);
	const [following, setFollowing] = useState(follow);
	const [search, setSearch] = useState("");
	const top = following ? last : Math.min(wanted, last);

	const matches = (text: string) => lines.flatMap((line, i) => (textOf(line).toLowerCase().includes(text) ? [i] : []));
	const scroll = (change: (top: number) => number) => {
		setTop((from) => Math.min(last, Math.max(0, change(following ? last : Math.min(from, last)))));
		setFollowing(false);
	};
	useDeeds((deed) => {
		if (typeof deed === "object") {
			const text = deed.search.toLowerCase();
			setSearch(text);
			const first = matches(text).find((i) => i >= top) ?? matches(text)[0];
			if (text && first !== undefined) scroll(() => first);
			return true;
		}
		switch (deed) {
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
				if (follow) setFollowing(true);
				else scroll(() => last);
				return true;
			case "follow":
				setTop(top);
				setFollowing(follow && !following);
				return follow;
			case "next-match":
				if (search) scroll((from) => matches(search).find((i) => i > from) ?? from);
				return search !== "";
			case "previous-match":
				if (search) scroll((from) => matches(search).findLast((i) => i < from) ?? from);
				return search !== "";
			case "back":
				setSearch("");
				return search !== "";
			default:
				return false;
		}
	});
	// A text that shrank must not leave the window beyond its end.
	useEffect(() => setTop((from) => Math.min(from, last)), [last]);

	const shown = lines.slice(top, top + room.height).map((line) => (search ? marked(line, search) : line));
	const said = [
		search && `/${search} ${matches(search).length} lines`,
		following && "following",
		lines.length > room.height && `${top + 1}-${top + shown.length} of ${lines.length}`,
	];
	const state: Line = [...aside, [said.filter(Boolean).join("  "), "quiet"]];
	return <Panel {...size} framed={framed} title={title} aside={state} lines={shown} />;
}

/** The line with what was searched for standing out. */
function marked(line: Line, search: string): Line {
	return line.flatMap((span) => {
		const [text, ...tones] = typeof span === "string" ? [span] : span;
		const parts: Span[] = [];
		let from = 0;
		const lower = text.toLowerCase();
		for (let at = lower.indexOf(search); at >= 0; at = lower.indexOf(search, from)) {
			parts.push([text.slice(from, at), ...tones], [text.slice(at, at + search.length), "selected"]);
			from = at + search.length;
		}
		return [...parts, [text.slice(from), ...tones] as const];
	});
}
