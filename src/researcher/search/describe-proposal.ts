/**
 * A candidate in words: an imperative title, and a hypothesis that says what measurements and prior knowledge suggest.
 */
import { type Candidate, cameNear, isRaise } from "./candidates.ts";
import type { Adjustment } from "./parameter-scale.ts";
import type { GainPosterior } from "./posterior.ts";
import { priorOf } from "./priors.ts";
import type { Trial } from "./trials.ts";

export function titleOf({ adjustments }: Candidate): string {
	if (adjustments.length === 1) return capitalise(phrase(adjustments[0]!, true));
	const phrases = adjustments.map((adjustment) => phrase(adjustment, false));
	return capitalise(`${phrases.slice(0, -1).join(", ")} and ${phrases.at(-1)}`);
}

function phrase(adjustment: Adjustment, withOld: boolean): string {
	const { name, value, text } = adjustment.parameter.constant;
	if (typeof value === "boolean") return `switch ${name} ${value ? "off" : "on"}`;
	const verb = typeof value === "string" ? "switch" : isRaise(adjustment) ? "raise" : "lower";
	return `${verb} ${name}${withOld ? ` from ${bare(text)}` : ""} to ${bare(adjustment.text)}`;
}

function bare(text: string): string {
	return text.replace(/^["'](.*)["']$/, "$1");
}

export function hypothesisOf(
	{ adjustments, coupling }: Candidate,
	trials: readonly Trial[],
	posterior: GainPosterior,
): string {
	const [first, second] = adjustments;
	if (first && second && coupling) {
		return `${sentence(reason(first))} ${sentence(isRaise(first) ? coupling.up : coupling.down)}`;
	}
	if (first && second) {
		const [a, b] = [precedent(first, trials, posterior), precedent(second, trials, posterior)];
		const near = adjustments.every((adjustment) => cameNear(adjustment, posterior));
		if (near && a?.same && b?.same) return `${sentence(a.text)} ${sentence(b.text)} Their gains may add up.`;
		return `${sentence(reason(first))} ${sentence(reason(second))}`;
	}
	const known = precedent(first!, trials, posterior);
	return known ? `${sentence(known.text)} ${sentence(reason(first!))}` : sentence(reason(first!));
}

/** What changing a constant this way is known to do, as a clause. */
function reason(adjustment: Adjustment): string {
	const { name, value, text } = adjustment.parameter.constant;
	const prior = priorOf(name);
	const known = isRaise(adjustment) || typeof value === "string" ? prior?.up : prior?.down;
	if (typeof value === "string") {
		const choice = `${bare(adjustment.text)} may suit this budget better than ${value}`;
		return known ? `${known}; ${choice}` : choice;
	}
	if (known) return known;
	if (typeof value === "boolean") return `no measurement shows yet that ${name} is best ${value ? "on" : "off"}`;
	return `no measurement shows yet that ${name} is best at ${bare(text)}`;
}

/** The last measured experiment that changed the constant, and what it says about this adjustment. */
interface Precedent {
	/** A clause. */
	text: string;
	/** It changed the constant in the same direction. */
	same: boolean;
}

function precedent(adjustment: Adjustment, trials: readonly Trial[], posterior: GainPosterior): Precedent | undefined {
	const { name } = adjustment.parameter.constant;
	const last = trials.findLast(
		(trial) => direction(name, adjustment, trial) !== undefined && posterior.gainOf(trial) !== undefined,
	);
	if (!last) return undefined;
	const same = direction(name, adjustment, last) === "same";
	const gain = posterior.gainOf(last)!;
	const { n, changes } = last.experiment;
	const isNumber = typeof adjustment.value === "number";
	const change = isNumber
		? `${isRaise(adjustment) === same ? "raising" : "lowering"} ${name}`
		: `${name} ${same ? "at" : "away from"} ${bare(adjustment.text)}`;
	const effect = `${gain > 0 ? "gained" : "lost"} ${Math.abs(gain).toPrecision(2)} in experiment ${n}`;
	const company = changes.length > 1 ? " together with another change" : "";
	const caveat =
		same && gain <= 0 ? nearMissCaveat(adjustment, last) : !same && gain > 0 ? ", and may have gone too far" : "";
	return { text: `${change} ${effect}${company}${caveat}`, same };
}

/** In which direction an experiment changed a constant, against this adjustment; undefined when it did not. */
function direction(name: string, adjustment: Adjustment, { before, after }: Trial): "same" | "other" | undefined {
	const [from, to] = [before.get(name), after.get(name)];
	if (from === undefined || to === undefined || from === to) return undefined;
	if (typeof from === "number" && typeof to === "number") return to > from === isRaise(adjustment) ? "same" : "other";
	if (to === adjustment.value) return "same";
	return from === adjustment.value ? "other" : undefined;
}

/** Why a change that lost before may still win. */
function nearMissCaveat(adjustment: Adjustment, { after }: Trial): string {
	const before = after.get(adjustment.parameter.constant.name)!;
	if (before === adjustment.value) return ", when other constants had other values";
	if (typeof before !== "number") return "";
	const farther = isRaise(adjustment) ? before > Number(adjustment.value) : before < Number(adjustment.value);
	return farther ? ", in a larger step than this" : ", in a smaller step than this";
}

function capitalise(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentence(text: string): string {
	return `${capitalise(text)}.`;
}
