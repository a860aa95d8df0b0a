/**
 * How one constant is stepped. A number has a coordinate in steps that suit it: ratios for a learning rate, whole
 * layers for a depth. A boolean or a named option has no coordinate, only alternatives.
 */
import type { Constant, Value } from "./constants.ts";
import { allows } from "./limits.ts";
import { priorOf, type Scale } from "./priors.ts";
import { writeNumber } from "./write-number.ts";

/** One constant set to another value, and how that value is written. */
export interface Adjustment {
	parameter: ParameterScale;
	value: Value;
	text: string;
}

/** Values of other constants by name, for limits that refer to them. */
export type Lookup = (name: string) => Value | undefined;

export interface ParameterScale {
	constant: Constant;
	/** The number's coordinate, in steps; undefined for a boolean or a named option. */
	coordinate?: (value: number) => number;
	/**
	 * The constant set to each value about `steps` from the present one (to every alternative, where there is no
	 * coordinate). Empty when the limits allow nothing there. Fractions are rounded to `digits` significant digits.
	 */
	adjustments(steps: readonly number[], digits: number, lookup: Lookup): Adjustment[];
}

const DEFAULT_RATIO = 1.5;
/** A ratio never reaches zero; where zero is allowed, setting it counts as this many steps. */
const STEPS_TO_ZERO = 3;
/** Whole numbers up to here are stepped one by one (layers, heads), larger ones by ratios (batches, widths). */
const COUNTED_UP_TO = 12;

export function createScale(constant: Constant): ParameterScale {
	return typeof constant.value === "number"
		? createNumberScale(constant, constant.value)
		: createAlternatives(constant);
}

function createAlternatives(constant: Constant): ParameterScale {
	const quote = constant.text[0] === "'" ? "'" : '"';
	const alternatives = constant.options!.filter((value) => value !== constant.value);
	const parameter: ParameterScale = {
		constant,
		adjustments: () =>
			alternatives.map((value) => ({
				parameter,
				value,
				text: typeof value === "string" ? quote + value + quote : String(value),
			})),
	};
	return parameter;
}

function createNumberScale(constant: Constant, present: number): ParameterScale {
	const { limits, text, name } = constant;
	const prior = priorOf(name);
	const whole =
		limits.integer || limits.powerOfTwo || (Number.isInteger(present) && !/[.e]/i.test(text) && !prior?.real);
	const scale = prior?.scale && suits(prior.scale, present) ? prior.scale : scaleOf(constant, present, whole);
	const step = prior?.step && prior.scale === scale ? prior.step : stepOf(constant, present, scale, whole);
	const { forward, back } = SCALES[scale];
	const coordinate = (value: number) =>
		scale === "log" && value <= 0 ? forward(present, step) - STEPS_TO_ZERO : forward(value, step);
	// A divisor may change together with what it divides, so candidates.ts checks that limit once both are known.
	const own = { ...limits, divides: undefined };
	// Limits that the present value breaks are ignored: the comment was about something else.
	const withinLimits = (value: number, lookup: Lookup) => {
		const known = (other: string) => {
			const found = lookup(other);
			return typeof found === "number" ? found : undefined;
		};
		return allows(own, value, known) || !allows(own, present, known);
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
	const parameter: ParameterScale = {
		constant,
		coordinate,
		adjustments(steps, digits, lookup) {
			const listed = limits.oneOf?.filter((value) => typeof value === "number");
			const values = listed ?? steps.map((by) => snap(back(coordinate(present) + by, step), digits, lookup));
			if (scale === "log" && limits.min === 0 && !limits.minExcluded) values.push(0);
			const unique = [...new Set(values)].filter((value) => value !== present && withinLimits(value, lookup));
			return unique.map((value) => ({ parameter, value, text: writeNumber(value, text) }));
		},
	};
	return parameter;
}

/** `forward` turns a value into a coordinate, `back` a coordinate into a value. */
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

/** The nearest of 1, 2, 3, 4, 6, 8, 12, 16, 24, …: powers of two and 1.5 times those, the usual batches and widths. */
function nearestRound(value: number): number {
	const lower = 2 ** Math.max(0, Math.floor(Math.log2(value)));
	const candidates = [lower, lower * 1.5, lower * 2].filter(Number.isInteger);
	return candidates.reduce((a, b) => (Math.abs(Math.log(b / value)) < Math.abs(Math.log(a / value)) ? b : a));
}

function roundWhole(value: number): number {
	return Math.abs(value) < 100 ? Math.round(value) : Number(value.toPrecision(2));
}
