/** Which moves are open from the present file, and which one or two of them to make. */
import type { Axis, Lookup } from "./axis.ts";
import type { Beliefs, Move } from "./beliefs.ts";
import { COUPLINGS, type Coupling } from "./knowledge.ts";
import { allows } from "./limits.ts";
import type { Assignment } from "./lineage.ts";
import type { Random } from "./random.ts";
import type { Steering } from "./steering.ts";

export interface Choice {
	moves: Move[];
	/** Set when the two were paired because they belong together. */
	coupling?: Coupling;
}

/** How far the search looks: level 0 first, the next when everything in it was tried. */
interface Level {
	steps: number[];
	digits: number;
	/** How many constants one proposal may change. */
	constants: number;
}

const symmetric = (...steps: number[]) => steps.flatMap((step) => [step, -step]);
export const LEVELS: Level[] = [
	{ steps: symmetric(1, 2, 0.5), digits: 2, constants: 2 },
	{ steps: symmetric(1, 2, 0.5, 0.25, 0.75, 1.5, 3), digits: 2, constants: 2 },
	{ steps: symmetric(...Array.from({ length: 24 }, (_, i) => (i + 1) / 4)), digits: 3, constants: 3 },
	{ steps: symmetric(...Array.from({ length: 120 }, (_, i) => (i + 1) / 20)), digits: 4, constants: 4 },
];

/** What it costs a proposal to change a second constant: a result that is harder to read. In typical effects. */
const SECOND_CHANGE = 0.4;
const COUPLED_BONUS = 0.3;
/** One crash outweighs any gain that may be drawn in ordinary times; many good draws may still try again. */
const CRASH_COST = 4;
/** Share of the proposals that keep to the focus while there is any. */
const FOCUS_SHARE = 0.8;
/** Best single moves that are considered as halves of a pair. */
const HALVES = 16;
/** A loss up to here, in typical effects, is a near miss. */
const NEAR_MISS = -0.5;
const LEAPS = 300;

export interface Situation {
	axes: readonly Axis[];
	present: Assignment;
	tried(assignment: Assignment): boolean;
	beliefs: Beliefs;
	steering: Steering;
}

/** The most promising untried choice at a level; undefined when the level has none left. */
export function choose(situation: Situation, level: Level, random: Random): Choice | undefined {
	const { axes, beliefs, steering, present, tried } = situation;
	const open = openMoves(situation, level);
	const sampled = beliefs.draw(random);
	const focused = random.uniform() < FOCUS_SHARE;
	const score = new Map(open.map((move) => [move, sampled(move) - CRASH_COST * beliefs.crashRisk(move)]));
	const ranked = open.toSorted((a, b) => score.get(b)! - score.get(a)!);
	const closed = (moves: Move[]) => {
		const after = assign(present, moves);
		return tried(after) || !coherent(axes, present, after);
	};
	const singles = ranked.filter((move) => !closed([move]));
	const options: (Choice & { score: number })[] = singles.map((move) => ({ moves: [move], score: score.get(move)! }));
	for (const pair of pairs(ranked, beliefs, singles.length === 0)) {
		if (closed(pair.moves)) continue;
		const gain = score.get(pair.moves[0]!)! + score.get(pair.moves[1]!)!;
		options.push({ ...pair, score: gain - SECOND_CHANGE + (pair.coupling ? COUPLED_BONUS : 0) });
	}
	const inFocus = options.filter(({ moves }) => moves.some(({ axis }) => steering.focus.has(axis.constant.name)));
	const eligible = focused && inFocus.length > 0 ? inFocus : options;
	const found = eligible.reduce<(typeof options)[number] | undefined>(
		(a, b) => (a && a.score >= b.score ? a : b),
		undefined,
	);
	return found ?? leap(open, closed, level, random);
}

function openMoves({ axes, present, steering }: Situation, { steps, digits }: Level): Move[] {
	const lookup: Lookup = (name) => present.get(name);
	const number = numbersOf(present);
	return axes.flatMap((axis) => {
		const { name, value: now } = axis.constant;
		if (steering.offLimits.has(name)) return [];
		const limits = steering.limits.get(name);
		const only = steering.oneWay.get(name);
		return axis.reach(steps, digits, lookup).flatMap(({ value, text }) => {
			if (typeof value === "number" && typeof now === "number") {
				if (limits && !allows(limits, value, number)) return [];
				if (only && value > now !== (only === "up")) return [];
			}
			return [{ axis, value, text }];
		});
	});
}

/**
 * Pairs worth trying: two moves that each came near or won before, two that belong together, or, when no single move is
 * left, any two.
 */
function* pairs(ranked: Move[], beliefs: Beliefs, any: boolean): Generator<Choice> {
	const known = ranked.filter((move) => cameNear(move, beliefs));
	const halves = any ? ranked : known.slice(0, HALVES);
	for (const [i, first] of halves.entries()) {
		for (const second of halves.slice(i + 1)) if (first.axis !== second.axis) yield { moves: [first, second] };
	}
	for (const first of ranked.slice(0, HALVES)) {
		for (const second of ranked) {
			const coupling = COUPLINGS.find((c) => belongTogether(c, first, second));
			if (coupling) yield { moves: [first, second], coupling };
		}
	}
}

/** Whether the history gives a move a fair hope: a win, or a near miss. */
export function cameNear(move: Move, beliefs: Beliefs): boolean {
	return beliefs.evidence(move.axis.constant.name) > 0 && beliefs.expect(move) > NEAR_MISS;
}

function belongTogether({ first, second, together }: Coupling, a: Move, b: Move): boolean {
	if (a.axis === b.axis || !first.test(a.axis.constant.name) || !second.test(b.axis.constant.name)) return false;
	return isRaise(a) === (together === "same" ? isRaise(b) : !isRaise(b));
}

export function isRaise({ axis, value }: Move): boolean {
	return value > axis.constant.value;
}

/** A random combination of moves, when every single one and every pair has been tried. */
function leap(
	open: Move[],
	closed: (moves: Move[]) => boolean,
	{ constants }: Level,
	random: Random,
): Choice | undefined {
	if (constants < 3 || open.length === 0) return undefined;
	for (let attempt = 0; attempt < LEAPS; attempt++) {
		const moves: Move[] = [];
		for (let i = 0; i < constants; i++) {
			const move = open[Math.floor(random.uniform() * open.length)]!;
			if (!moves.some(({ axis }) => axis === move.axis)) moves.push(move);
		}
		if (!closed(moves)) return { moves };
	}
	return undefined;
}

/** Whether limits between constants (a divisor, a multiple) that hold now still hold afterwards, whichever side moved. */
function coherent(axes: readonly Axis[], present: Assignment, after: Assignment): boolean {
	return axes.every(({ constant: { name, limits } }) => {
		if (limits.divides === undefined && typeof limits.multipleOf !== "string") return true;
		const between = { divides: limits.divides, multipleOf: limits.multipleOf };
		const holds = (values: Assignment) => allows(between, values.get(name) as number, numbersOf(values));
		return holds(after) || !holds(present);
	});
}

function numbersOf(values: Assignment): (name: string) => number | undefined {
	return (name) => {
		const value = values.get(name);
		return typeof value === "number" ? value : undefined;
	};
}

export function assign(present: Assignment, moves: readonly Move[]): Assignment {
	const result = new Map(present);
	for (const { axis, value } of moves) result.set(axis.constant.name, value);
	return result;
}
