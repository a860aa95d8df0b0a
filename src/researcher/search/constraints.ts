/**
 * What program.md asks of the search. It reads the following and nothing else; all other text is for language models:
 *
 *   ## Leave alone              the constants in this list are not changed
 *   - DEPTH, HEAD_DIM (slow)    names, separated by commas, and a remark in parentheses if need be
 *   ## Try first                four proposals in five change one of these
 *   - *_LR                      `*` stands for any part of a name
 *
 *   leave alone: DEPTH          the same on a line of its own, as a note may have it
 *   try first: MATRIX_LR
 *   only: MATRIX_LR, *_DECAY    every other constant is left alone
 *   MATRIX_LR: 0.01..0.05       a limit in the grammar of limits.ts, beside that of the constant's own comment
 *
 * Backticks are ignored, fenced code and HTML comments are not read. A constant in both lists is left alone.
 */
import { parseLimits, type ValueLimits } from "./limits.ts";

export interface Constraints {
	leaveAlone: ReadonlySet<string>;
	tryFirst: ReadonlySet<string>;
	limits: ReadonlyMap<string, ValueLimits>;
	/** What was read, one clause for each kind of constraint. */
	read: string[];
	/**
	 * Lines that name a constant, or begin as a constraint does, but are not written as one or name an unknown constant.
	 */
	unread: string[];
}

type List = "leaveAlone" | "tryFirst" | "only";
const LISTS: Record<string, List> = { "leave alone": "leaveAlone", "try first": "tryFirst", only: "only" };

/** Reads the constraints on the constants of these names. */
export function readConstraints(markdown: string, names: readonly string[]): Constraints {
	const lists = { leaveAlone: new Set<string>(), tryFirst: new Set<string>(), only: new Set<string>() };
	const limits = new Map<string, ValueLimits>();
	const limited: string[] = [];
	const unread: string[] = [];
	let heading: List | undefined;
	for (const line of linesOf(markdown)) {
		const title = /^#+\s+(.*)$/.exec(line)?.[1];
		if (title !== undefined) {
			heading = listNamed(title);
			continue;
		}
		const item = /^(?:[-*+]|\d+[.)])\s+(.*)$/.exec(line)?.[1];
		const text = item ?? line;
		const [, key, value = ""] = /^([^:]+?)\s*:\s*(.*)$/.exec(text) ?? [];
		const keyed = key === undefined ? undefined : listNamed(key);
		if (keyed || (key === undefined && item !== undefined && heading)) {
			const listed = parseNames(keyed ? value : text, names);
			for (const name of listed?.known ?? []) lists[keyed ?? heading!].add(name);
			if (listed ? listed.unknown : keyed || mentions(text, names)) unread.push(text);
			continue;
		}
		const limitedNames = parseNames(key ?? "", names);
		const stated = parseLimits(value);
		if (limitedNames && !limitedNames.unknown && stated) {
			if (stated.fixed) for (const name of limitedNames.known) lists.leaveAlone.add(name);
			else limited.push(`keeps ${limitedNames.known.join(", ")} to ${value}`);
			for (const name of limitedNames.known) limits.set(name, { ...limits.get(name), ...stated });
		} else if ((limitedNames && stated) || mentions(text, names)) unread.push(text);
	}
	const { leaveAlone, only } = lists;
	const tryFirst = new Set([...lists.tryFirst].filter((name) => !leaveAlone.has(name)));
	const read = [
		...limited,
		only.size > 0 && `changes only ${[...only].join(", ")}`,
		leaveAlone.size > 0 && `leaves alone ${[...leaveAlone].join(", ")}`,
		tryFirst.size > 0 && `tries ${[...tryFirst].join(", ")} first`,
	].filter((clause) => clause !== false);
	if (only.size > 0) for (const name of names) if (!only.has(name)) leaveAlone.add(name);
	return { leaveAlone, tryFirst, limits, read, unread };
}

/** The lines that are read, without backticks. */
function linesOf(markdown: string): string[] {
	const text = markdown
		.replace(/<!--[\s\S]*?(-->|$)/g, "")
		.replace(/^[ \t]*(```|~~~)[\s\S]*?(^[ \t]*\1.*$|$(?![\s\S]))/gm, "");
	return text.split("\n").flatMap((line) => line.replaceAll("`", "").trim() || []);
}

function listNamed(text: string): List | undefined {
	return LISTS[text.toLowerCase()];
}

/** A list of names and patterns: the constants it stands for. Undefined when the text is anything else. */
function parseNames(text: string, names: readonly string[]): { known: string[]; unknown: boolean } | undefined {
	const patterns = text.replace(/\s*\([^()]*\)$/, "").split(/\s*,\s*/);
	if (!patterns.every((pattern) => /^[A-Z0-9_*]*[A-Z][A-Z0-9_*]*$/.test(pattern))) return undefined;
	const matches = patterns.map((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`));
	return {
		known: names.filter((name) => matches.some((match) => match.test(name))),
		unknown: matches.some((match) => !names.some((name) => match.test(name))),
	};
}

function mentions(text: string, names: readonly string[]): boolean {
	return names.some((name) => new RegExp(`(?<!\\w)${name}(?!\\w)`).test(text));
}
