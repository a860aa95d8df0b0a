/** How a choice is put into words: an imperative title and a hypothesis that says what speaks for it. */
import type { Beliefs, Move } from "./beliefs.ts";
import { topicOf } from "./knowledge.ts";
import type { Trial } from "./lineage.ts";
import { type Choice, cameNear, isRaise } from "./moves.ts";

export function titleOf({ moves }: Choice): string {
	if (moves.length === 1) return capitalise(phrase(moves[0]!, true));
	const phrases = moves.map((move) => phrase(move, false));
	return capitalise(`${phrases.slice(0, -1).join(", ")} and ${phrases.at(-1)}`);
}

function phrase(move: Move, withOld: boolean): string {
	const { name, value, text } = move.axis.constant;
	if (typeof value === "boolean") return `switch ${name} ${value ? "off" : "on"}`;
	const verb = typeof value === "string" ? "switch" : isRaise(move) ? "raise" : "lower";
	return `${verb} ${name}${withOld ? ` from ${bare(text)}` : ""} to ${bare(move.text)}`;
}

function bare(text: string): string {
	return text.replace(/^["'](.*)["']$/, "$1");
}

export function hypothesisOf({ moves, coupling }: Choice, trials: readonly Trial[], beliefs: Beliefs): string {
	const [first, second] = moves;
	if (first && second && coupling) {
		return `${sentence(reason(first))} ${sentence(isRaise(first) ? coupling.up : coupling.down)}`;
	}
	if (first && second) {
		const [a, b] = [precedent(first, trials, beliefs), precedent(second, trials, beliefs)];
		const near = moves.every((move) => cameNear(move, beliefs));
		if (near && a?.same && b?.same) return `${sentence(a.text)} ${sentence(b.text)} Together they may do more.`;
		return `${sentence(reason(first))} ${sentence(reason(second))}`;
	}
	const known = precedent(first!, trials, beliefs);
	return known ? `${sentence(known.text)} ${sentence(reason(first!))}` : sentence(reason(first!));
}

/** What moving a constant this way is known to do. */
function reason(move: Move): string {
	const { name, value } = move.axis.constant;
	const topic = topicOf(name);
	if (typeof value === "string") {
		const choice = `${bare(move.text)} may suit this budget better than ${value}`;
		return topic ? `${topic.up}; ${choice}` : choice;
	}
	if (topic) return isRaise(move) ? topic.up : topic.down;
	if (typeof value === "boolean") return `nothing shows yet that ${name} is best ${value ? "on" : "off"}`;
	return `nothing shows yet that ${name} is best at ${bare(move.axis.constant.text)}`;
}

/** The last measured experiment that moved the constant, and what it says about this move. */
interface Precedent {
	/** A clause. */
	text: string;
	/** It went the same way. */
	same: boolean;
}

function precedent(move: Move, trials: readonly Trial[], beliefs: Beliefs): Precedent | undefined {
	const { name } = move.axis.constant;
	const last = trials.findLast(
		(trial) => direction(name, move, trial) !== undefined && beliefs.gainOf(trial) !== undefined,
	);
	if (!last) return undefined;
	const same = direction(name, move, last) === "same";
	const gain = beliefs.gainOf(last)!;
	const { n, changes } = last.experiment;
	const way = typeof move.value === "number" ? `${isRaise(move) === same ? "raising" : "lowering"} ${name}` : undefined;
	const what = way ?? `${name} ${same ? "at" : "away from"} ${bare(move.text)}`;
	const effect = `${gain > 0 ? "gained" : "lost"} ${Math.abs(gain).toPrecision(2)} in experiment ${n}`;
	const company = changes.length > 1 ? " beside another change" : "";
	const tail = same && gain <= 0 ? tailOfNearMiss(move, last) : !same && gain > 0 ? ", and may have gone too far" : "";
	return { text: `${what} ${effect}${company}${tail}`, same };
}

/** Which way an experiment moved a constant, beside this move; undefined when it says nothing about it. */
function direction(name: string, move: Move, { before, after }: Trial): "same" | "other" | undefined {
	const [from, to] = [before.get(name), after.get(name)];
	if (from === undefined || to === undefined || from === to) return undefined;
	if (typeof from === "number" && typeof to === "number") return to > from === isRaise(move) ? "same" : "other";
	if (to === move.value) return "same";
	return from === move.value ? "other" : undefined;
}

function tailOfNearMiss(move: Move, { after }: Trial): string {
	const { name } = move.axis.constant;
	const went = after.get(name)!;
	if (went === move.value) return ", but the rest was different then";
	if (typeof went !== "number") return "";
	const farther = isRaise(move) ? went > Number(move.value) : went < Number(move.value);
	return farther ? ", but went further than this" : "; another distance may do better";
}

function capitalise(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentence(text: string): string {
	return `${capitalise(text)}.`;
}
