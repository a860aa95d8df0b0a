/**
 * A constant as an axis to move along. A number has a coordinate, in steps that suit it: ratios for a learning rate,
 * whole layers for a depth; a boolean or a named option has only alternatives.
 */
import type { Constant, Value } from "./constants.ts";
import { type Scale, topicOf } from "./knowledge.ts";
import { allows } from "./limits.ts";
import { writeNumber } from "./write-number.ts";

/** One value a constant may take, and how it is written. */
export interface Setting {
	value: Value;
	text: string;
}

/** Values of other constants by name, for limits that refer to them. */
export type Lookup = (name: string) => Value | undefined;

export interface Axis {
	constant: Constant;
	/** The number's coordinate in steps; undefined for an axis of alternatives. */
	coordinate?: (value: number) => number;
	/**
	 * The settings that lie about `steps` from the present value (every alternative, for an axis without coordinates),
	 * without the present one. Empty when the limits leave nothing there. Fractions are rounded to `digits` significant ones.
	 */
	reach(steps: number[], digits: number, lookup: Lookup): Setting[];
}

const DEFAULT_RATIO = 1.5;
/** A ratio never reaches zero; where zero is allowed, it is a switch that counts as this many steps. */
const STEPS_TO_ZERO = 3;
/** Whole numbers up to here are counted one by one (layers, heads); larger ones go by ratios (batches, widths). */
const COUNTED_UP_TO = 12;

export function createAxis(constant: Constant): Axis {
	return typeof constant.value === "number" ? numberAxis(constant, constant.value) : choiceAxis(constant);
}

function choiceAxis(constant: Constant): Axis {
	const quote = constant.text[0] === "'" ? "'" : '"';
	const settings = constant
		.options!.filter((value) => value !== constant.value)
		.map((value) => ({ value, text: typeof value === "string" ? quote + value + quote : String(value) }));
	return { constant, reach: () => settings };
}

function numberAxis(constant: Constant, present: number): Axis {
	const { limits, text, name } = constant;
	const topic = topicOf(name);
	const whole =
		limits.integer || limits.powerOfTwo || (Number.isInteger(present) && !/[.e]/i.test(text) && !topic?.real);
	const scale = topic?.scale && suits(topic.scale, present) ? topic.scale : scaleOf(constant, present, whole);
	const step = topic?.step && topic.scale === scale ? topic.step : stepOf(constant, present, scale, whole);
	const { forward, back } = SCALES[scale];
	const coordinate = (value: number) =>
		scale === "log" && value <= 0 ? forward(present, step) - STEPS_TO_ZERO : forward(value, step);
	// A limit that the present value already breaks was a comment about something else.
	const withinLimits = (value: number, lookup: Lookup) => {
		const known = (other: string) => {
			const found = lookup(other);
			return typeof found === "number" ? found : undefined;
		};
		return allows(limits, value, known) || !allows(limits, present, known);
	};
	const reach = (steps: number[], digits: number, lookup: Lookup): Setting[] => {
		const listed = limits.oneOf?.filter((value) => typeof value === "number");
		const values = listed ?? steps.map((by) => snap(back(coordinate(present) + by, step), digits, lookup));
		if (scale === "log" && limits.min === 0 && !limits.minExcluded) values.push(0);
		const unique = [...new Set(values)].filter((value) => value !== present && withinLimits(value, lookup));
		return unique.map((value) => ({ value, text: writeNumber(value, text) }));
	};
	const snap = (value: number, digits: number, lookup: Lookup): number => {
		const grid = typeof limits.multipleOf === "string" ? lookup(limits.multipleOf) : limits.multipleOf;
		if (limits.powerOfTwo || /^2\s*\*\*/.test(text)) return 2 ** Math.round(Math.log2(Math.max(value, 1)));
		if (typeof grid === "number" && grid > 0) return Math.max(grid, Math.round(value / grid) * grid);
		if (whole && scale === "log" && nearestRound(present) === present) return nearestRound(value);
		if (whole) return present > 0 ? Math.max(limits.min === 0 ? 0 : 1, roundWhole(value)) : Math.round(value);
		if (scale === "complement") return Number((1 - Number((1 - value).toPrecision(digits))).toPrecision(12));
		return Number(value.toPrecision(digits));
	};
	return { constant, coordinate, reach };
}

const SCALES: Record<Scale, { forward(value: number, step: number): number; back(x: number, step: number): number }> = {
	log: { forward: (v, step) => Math.log(v) / Math.log(step), back: (x, step) => step ** x },
	linear: { forward: (v, step) => v / step, back: (x, step) => Number((x * step).toPrecision(12)) },
	complement: { forward: (v, step) => -Math.log(1 - v) / Math.log(step), back: (x, step) => 1 - step ** -x },
};

function suits(scale: Scale, value: number): boolean {
	if (scale === "log") return value > 0;
	return scale === "linear" || (value >= 0.5 && value < 1);
}

function scaleOf({ limits }: Constant, value: number, whole: boolean): Scale {
	if (value <= 0) return "linear";
	if (whole) return value <= COUNTED_UP_TO ? "linear" : "log";
	const share = limits.min === 0 && limits.max === 1;
	return share && value >= 0.2 ? "linear" : "log";
}

function stepOf({ limits }: Constant, value: number, scale: Scale, whole: boolean): number {
	if (scale !== "linear") return DEFAULT_RATIO;
	if (whole) return Math.max(1, Math.round(Math.abs(value) / 4));
	if (limits.min !== undefined && limits.max !== undefined) return (limits.max - limits.min) / 8;
	return value === 0 ? 0.1 : Math.abs(value) / 4;
}

/** The nearest of 1, 2, 3, 4, 6, 8, 12, 16, 24, …: what batches and widths are usually made of. */
function nearestRound(value: number): number {
	const lower = 2 ** Math.max(0, Math.floor(Math.log2(value)));
	const candidates = [lower, lower * 1.5, lower * 2].filter(Number.isInteger);
	return candidates.reduce((a, b) => (Math.abs(Math.log(b / value)) < Math.abs(Math.log(a / value)) ? b : a));
}

function roundWhole(value: number): number {
	return Math.abs(value) < 100 ? Math.round(value) : Number(value.toPrecision(2));
}
