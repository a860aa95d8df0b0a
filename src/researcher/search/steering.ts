/**
 * What program.md tells the search, which reads names and a few phrases and nothing more:
 *
 *   ## Off limits            every constant named under a heading with `off limits`, `do not change`, `leave alone`, `fixed` or
 *   - `DEPTH`, `*_LR`        `frozen` is left alone; `*` stands for any part of a name
 *   ## Focus                 every constant named under a heading with `focus` or `priority` is preferred
 *   - `MATRIX_LR`
 *   Do not change DEPTH.     so is one in a sentence with do not, don't, never, must not, leave … alone, keep … fixed (at, as it is,
 *   Focus on MATRIX_LR.      unchanged), hands off, off limits; or with focus on, concentrate on, prefer, prioritise, tune, explore, try
 *   Only change MATRIX_LR.   leaves all others alone, as does: do not change anything but MATRIX_LR
 *   Keep DEPTH at most 6.    limits it, in the words of limits.ts
 *   Do not raise DEPTH.      closes one direction (raise, increase, grow; lower, decrease, reduce, shrink)
 *
 * A name counts in capitals, or in backticks in any case; in a prohibition also as plain words ("the matrix lr"). Off limits
 * wins over focus. Fenced code and HTML comments are not read.
 */
import { readLimits, type ValueLimits } from "./limits.ts";

export interface Steering {
	offLimits: Set<string>;
	focus: Set<string>;
	/** ValueLimits the human put on a constant, beside those of its own comment. */
	limits: Map<string, ValueLimits>;
	/** Constants that may go one way only. */
	oneWay: Map<string, "up" | "down">;
}

type Mood = "off limits" | "focus" | undefined;

const OFF_LIMITS =
	/\boff[- ]limits\b|\bdo not\b|\bdon['’]?t\b|\bnever\b|\b(must|may|should|can)(not|n['’]t| not)\b|\bleave\b|\bhands off\b|\b(fixed|frozen|unchanged|untouched)\b|\bkeep\b.*\b(as (it|they) (is|are)|as is|at)\b|\bavoid\b|\bforbidden\b/i;
const FOCUS =
	/\bfocus\b|\bconcentrate\b|\bprefer\b|\bpriorit(y|i[sz]e)\b|\btune\b|\bexplore\b|\btry\b|\bwork on\b|\bvary\b|\blook (at|into)\b/i;
const ONLY = /\bonly (change|touch|edit|tune|vary|move|work on|explore|try)\b|\b(change|touch|edit|tune|vary) only\b/i;
/** Exceptions turn a sentence round; these two are said again without one. */
const NOTHING_BUT =
	/\b((do not|don['’]?t|never) (change|touch|edit|tune|vary) (anything|any other \w+)|(change|touch|edit|tune|vary) nothing)( else)?,? (but|except( for)?|apart from|other than)\b/i;
/** "Don't be afraid to" is no prohibition. */
const ENCOURAGEMENT = /\b(do not|don['’]?t|never) (hesitate|be (afraid|shy)|fear|forget|mind)\b/gi;
const ANYTHING_BUT = /,? ((?<=thing )but|except( for)?|apart from|other than)\b/i;
const UPWARD = /\b(raise|raising|increase|increasing|grow|growing|enlarge|higher|larger)\b/i;
const DOWNWARD = /\b(lower|lowering|decrease|decreasing|reduce|reducing|shrink|shrinking|smaller)\b/i;

/** Reads program.md for the constants of these names. */
export function readSteering(markdown: string, names: readonly string[]): Steering {
	const steering: Steering = { offLimits: new Set(), focus: new Set(), limits: new Map(), oneWay: new Map() };
	let only: Set<string> | undefined;
	for (const { mood, clause } of clauses(markdown)) {
		const prohibits = OFF_LIMITS.test(clause);
		const mentioned = mentionedNames(clause, names, prohibits || mood === "off limits");
		if (mentioned.length === 0) continue;
		const stated = readLimits(clause);
		delete stated.fixed;
		const bounds = Object.keys(stated).length > 0;
		const directions = prohibits && !bounds && !/\bchange\b|\btouch\b/i.test(clause) ? directionOf(clause) : undefined;
		if (ONLY.test(clause) && !prohibits) {
			only ??= new Set();
			for (const name of mentioned) only.add(name);
		} else if (bounds && mood !== "off limits") {
			const limits = prohibits ? negated(clause, stated) : stated;
			for (const name of mentioned) steering.limits.set(name, { ...steering.limits.get(name), ...limits });
		} else if (directions) {
			for (const name of mentioned) steering.oneWay.set(name, directions === "up" ? "down" : "up");
		} else if (prohibits || mood === "off limits") {
			for (const name of mentioned) steering.offLimits.add(name);
		} else if (FOCUS.test(clause) || mood === "focus") {
			for (const name of mentioned) steering.focus.add(name);
		}
	}
	if (only) for (const name of names) if (!only.has(name)) steering.offLimits.add(name);
	for (const name of steering.offLimits) steering.focus.delete(name);
	return steering;
}

function directionOf(clause: string): "up" | "down" | undefined {
	if (UPWARD.test(clause)) return DOWNWARD.test(clause) ? undefined : "up";
	return DOWNWARD.test(clause) ? "down" : undefined;
}

/** "Do not raise it above 8" reads as a lower end of 8; the prohibition turns it round. */
function negated(clause: string, limits: ValueLimits): ValueLimits {
	if (/\bexceed/i.test(clause)) return limits;
	if (
		/\bnot (below|above|more|less|under|over)\b|\b(at least|at most)\b/i.test(clause) &&
		!/\b(do not|don['’]?t|never)\b/i.test(clause)
	)
		return limits;
	const { min, max, minExcluded, maxExcluded, ...rest } = limits;
	if (min !== undefined && max === undefined) return { ...rest, max: min, maxExcluded: !minExcluded };
	if (max !== undefined && min === undefined) return { ...rest, min: max, minExcluded: !maxExcluded };
	return limits;
}

/** Sentences and list items, cut at `but` and `;`, each with the mood its headings set. */
function* clauses(markdown: string): Generator<{ mood: Mood; clause: string }> {
	const text = markdown
		.replace(/<!--[\s\S]*?(-->|$)/g, "")
		.replace(/^([ \t]*)(```|~~~)[\s\S]*?(^[ \t]*\2|$(?![\s\S]))/gm, "");
	const open: { depth: number; mood: Mood }[] = [];
	const blocks = text.split(/\n(?=[ \t]*(?:[-*+]|\d+[.)])\s|#)|(?<=^[ \t]*#.*)\n|\n[ \t]*\n/m);
	for (const block of blocks) {
		const heading = /^\s*(#+)\s+(.*)/.exec(block);
		if (heading) {
			const depth = heading[1]!.length;
			while (open.length > 0 && open.at(-1)!.depth >= depth) open.pop();
			const own: Mood = OFF_LIMITS.test(heading[2]!) ? "off limits" : FOCUS.test(heading[2]!) ? "focus" : undefined;
			open.push({ depth, mood: own ?? open.at(-1)?.mood });
			yield { mood: undefined, clause: heading[2]! };
			continue;
		}
		const prose = block
			.replace(/\s+/g, " ")
			.replace(ENCOURAGEMENT, "")
			.replace(NOTHING_BUT, "only change")
			.replace(ANYTHING_BUT, "; do not change");
		for (const clause of prose.split(
			/(?<=[.!?])\s+(?=[A-Z`*_"(])|;|,?\s+\b(?:but|while|although|so|because|since)\b/,
		)) {
			yield { mood: open.at(-1)?.mood, clause };
		}
	}
}

function mentionedNames(clause: string, names: readonly string[], anyCase: boolean): string[] {
	const quoted = [...clause.matchAll(/`([^`]+)`/g)].map((m) => m[1]!.toUpperCase());
	const globs = [...clause.matchAll(/(?<![\w*])([A-Z_]*\*[A-Z_]+|[A-Z_]+\*[A-Z_]*)(?![\w*])/g)].map((m) => m[1]!);
	const patterns = [...quoted, ...globs].map(
		(glob) => new RegExp(`^${glob.replace(/[^A-Z0-9_*]/g, ".").replaceAll("*", ".*")}$`),
	);
	return names.filter((name) => {
		if (patterns.some((pattern) => pattern.test(name))) return true;
		const words = name.replaceAll("_", "[ _-]");
		return new RegExp(`(?<![\\w*])${anyCase ? words : name}(?![\\w*])`, anyCase ? "i" : "").test(clause);
	});
}
