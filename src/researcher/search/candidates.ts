/** Which changes are open from the present file, and which one or two of them to propose. */
import type { Constraints } from "./constraints.ts";
import { allows } from "./limits.ts";
import type { Adjustment, Lookup, ParameterScale } from "./parameter-scale.ts";
import type { GainPosterior } from "./posterior.ts";
import { COUPLINGS, type Coupling } from "./priors.ts";
import type { RandomSource } from "./random.ts";
import type { Assignment } from "./trials.ts";

/** What one proposal changes. */
export interface Candidate {
	adjustments: Adjustment[];
	/** Set when two constants were paired because they are best changed together. */
	coupling?: Coupling;
}

/** How far the search looks: level 0 first, the next when everything in it has been tried. */
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

/** What a second changed constant costs, in typical effects: the result is harder to attribute. */
const SECOND_CHANGE = 0.4;
const COUPLED_BONUS = 0.3;
/** In typical effects: more than most sampled gains, so that a value that crashed is seldom tried again. */
const CRASH_COST = 4;
/** Share of the proposals that change a preferred constant, while there are any. */
const PREFERRED_SHARE = 0.8;
/** So many of the best single adjustments are considered as halves of a pair. */
const HALVES = 16;
/** A loss up to here, in typical effects, is a near miss. */
const NEAR_MISS = -0.5;
/** Random combinations to try before a level counts as exhausted. */
const COMBINATIONS = 300;

export interface SearchSpace {
	parameters: readonly ParameterScale[];
	present: Assignment;
	tried(assignment: Assignment): boolean;
	posterior: GainPosterior;
	constraints: Constraints;
}

/** The most promising untried candidate at a level; undefined when the level has none left. */
export function choose(space: SearchSpace, level: Level, random: RandomSource): Candidate | undefined {
	const { parameters, posterior, constraints, present, tried } = space;
	const open = openAdjustments(space, level);
	const sampledGain = posterior.draw(random);
	const preferring = random.uniform() < PREFERRED_SHARE;
	const score = new Map(open.map((each) => [each, sampledGain(each) - CRASH_COST * posterior.crashRisk(each)]));
	const ranked = open.toSorted((a, b) => score.get(b)! - score.get(a)!);
	const isClosed = (adjustments: Adjustment[]) => {
		const after = assign(present, adjustments);
		return tried(after) || !isCoherent(parameters, present, after);
	};
	const singles = ranked.filter((adjustment) => !isClosed([adjustment]));
	const candidates: (Candidate & { score: number })[] = singles.map((adjustment) => ({
		adjustments: [adjustment],
		score: score.get(adjustment)!,
	}));
	for (const pair of pairs(ranked, posterior, singles.length === 0)) {
		if (isClosed(pair.adjustments)) continue;
		const gain = score.get(pair.adjustments[0]!)! + score.get(pair.adjustments[1]!)!;
		candidates.push({ ...pair, score: gain - SECOND_CHANGE + (pair.coupling ? COUPLED_BONUS : 0) });
	}
	const preferred = candidates.filter(({ adjustments }) =>
		adjustments.some(({ parameter }) => constraints.tryFirst.has(parameter.constant.name)),
	);
	const eligible = preferring && preferred.length > 0 ? preferred : candidates;
	const best = eligible.reduce<(typeof candidates)[number] | undefined>(
		(a, b) => (a && a.score >= b.score ? a : b),
		undefined,
	);
	return best ?? randomCombination(open, isClosed, level, random);
}

function openAdjustments({ parameters, present, constraints }: SearchSpace, { steps, digits }: Level): Adjustment[] {
	const lookup: Lookup = (name) => present.get(name);
	return parameters.flatMap((parameter) => {
		const { name } = parameter.constant;
		if (constraints.leaveAlone.has(name)) return [];
		const limits = constraints.limits.get(name) ?? {};
		return parameter.adjustments(steps, digits, lookup).filter(({ value }) => {
			if (typeof value === "string") return limits.oneOf?.includes(value) ?? true;
			return typeof value === "boolean" || allows(limits, value, numbersOf(present));
		});
	});
}

/**
 * Pairs worth trying: two adjustments that each won or came near before, two that are best made together, or, when no
 * single adjustment is left, any two.
 */
function* pairs(ranked: Adjustment[], posterior: GainPosterior, any: boolean): Generator<Candidate> {
	const known = ranked.filter((adjustment) => cameNear(adjustment, posterior));
	const halves = any ? ranked : known.slice(0, HALVES);
	for (const [i, first] of halves.entries()) {
		for (const second of halves.slice(i + 1)) {
			if (first.parameter !== second.parameter) yield { adjustments: [first, second] };
		}
	}
	for (const first of ranked.slice(0, HALVES)) {
		for (const second of ranked) {
			const coupling = COUPLINGS.find((coupling) => isCoupled(coupling, first, second));
			if (coupling) yield { adjustments: [first, second], coupling };
		}
	}
}

/** Whether the history holds a win or a near miss for an adjustment. */
export function cameNear(adjustment: Adjustment, posterior: GainPosterior): boolean {
	return posterior.evidence(adjustment.parameter.constant.name) > 0 && posterior.expect(adjustment) > NEAR_MISS;
}

function isCoupled({ first, second, together }: Coupling, a: Adjustment, b: Adjustment): boolean {
	if (a.parameter === b.parameter) return false;
	if (!first.test(a.parameter.constant.name) || !second.test(b.parameter.constant.name)) return false;
	return isRaise(a) === (together === "same" ? isRaise(b) : !isRaise(b));
}

export function isRaise({ parameter, value }: Adjustment): boolean {
	return value > parameter.constant.value;
}

/** A random combination of adjustments, when every single one and every pair has been tried. */
function randomCombination(
	open: Adjustment[],
	isClosed: (adjustments: Adjustment[]) => boolean,
	{ constants }: Level,
	random: RandomSource,
): Candidate | undefined {
	if (constants < 3 || open.length === 0) return undefined;
	for (let attempt = 0; attempt < COMBINATIONS; attempt++) {
		const adjustments: Adjustment[] = [];
		for (let i = 0; i < constants; i++) {
			const next = open[Math.floor(random.uniform() * open.length)]!;
			if (!adjustments.some(({ parameter }) => parameter === next.parameter)) adjustments.push(next);
		}
		if (!isClosed(adjustments)) return { adjustments };
	}
	return undefined;
}

/** Whether limits between constants (a divisor, a multiple) that hold now still hold, whichever side changed. */
function isCoherent(parameters: readonly ParameterScale[], present: Assignment, after: Assignment): boolean {
	return parameters.every(({ constant: { name, limits } }) => {
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

function assign(present: Assignment, adjustments: readonly Adjustment[]): Assignment {
	const result = new Map(present);
	for (const { parameter, value } of adjustments) result.set(parameter.constant.name, value);
	return result;
}
