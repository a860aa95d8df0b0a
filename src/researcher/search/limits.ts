/**
 * What a comment says about the values a constant may take. The grammar, in any sentence and any case:
 *
 *   0.001..0.1 · 0.001 to 0.1 · between 0.001 and 0.1     a range, ends included
 *   at least 1 · min 1 · >= 1 · > 0                       a lower end (`above`, `more than`, `>` exclude it)
 *   at most 8 · max 8 · up to 8 · <= 8 · < 1              an upper end (`below`, `less than`, `<` exclude it)
 *   one of 1, 2, 4 · "relu2" | "gelu" | "silu"            the only values
 *   integer · whole number · even                         a grid
 *   power of two · powers of 2
 *   multiple of 32 · multiple of HEAD_DIM
 *   divides WIDTH · divisor of WIDTH
 *   fixed · not tunable · do not change                   left alone
 *
 * Numbers may be written 1e-3, 16_384 or 2**14.
 */
export interface ValueLimits {
	min?: number;
	/** True when `min` itself is not allowed. */
	minExcluded?: boolean;
	max?: number;
	maxExcluded?: boolean;
	/** The only values, when they are listed. */
	oneOf?: (number | string)[];
	integer?: boolean;
	powerOfTwo?: boolean;
	/** A number, or the name of another constant. */
	multipleOf?: number | string;
	/** The name of a constant that the value must divide. */
	divides?: string;
	fixed?: boolean;
}

const NUMBER = String.raw`[-−+]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?(?:\s?\*\*\s?\d+)?`;
const NAME = "[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*";
const LOWER = `(at least|no less than|not below|min(?:imum)?(?: of)?|>=|≥|above|more than|greater than|(?<![-=])>)`;
const UPPER =
	"((?:not|never) exceed(?:ing)?|at most|no more than|not above|max(?:imum)?(?: of)?|up to|" +
	"<=|≤|below|under|less than|fewer than|<)";

const RANGE = new RegExp(
	String.raw`between\s+(${NUMBER})\s+and\s+(${NUMBER})|(${NUMBER})\s*(?:\.\.\.?|…|–|\bto\b)\s*(${NUMBER})`,
	"i",
);
const AT_LEAST = new RegExp(String.raw`${LOWER}\s*(${NUMBER})`, "i");
const AT_MOST = new RegExp(String.raw`${UPPER}\s*(${NUMBER})`, "i");
const ONE_OF = /\b(?:one of|either)\s*:?\s*([^.;()\n]*(?:\.\d[^.;()\n]*)*)/i;
const MULTIPLE = new RegExp(String.raw`\bmultiples?\s+of\s+(?:(${NUMBER})|\x60?(${NAME})\b)`, "");
const DIVIDES = new RegExp(String.raw`\b(?:divides|divisor of|must divide)\s+\x60?(${NAME})\b`);
const QUOTED = /["'`]([\w-]+)["'`]/g;
const EVEN = /\beven (number|integer)\b/i;
const POWER_OF_TWO = /\bpowers? of (two|2)\b/i;
const INTEGER = /\b(integers?|whole numbers?)\b/i;
const FIXED = /\b(fixed|not tunable|do not (change|touch|edit))\b/i;
const LISTED = String.raw`(?:${NUMBER}|["'][\w-]+["'])`;
const LIST = new RegExp(String.raw`\b(?:one of|either)\s*:?\s*${LISTED}(?:\s*(?:,|\bor\b|\band\b)\s*${LISTED})+`, "i");
const UNION = /["'][\w-]+["'](?:\s*\|\s*["'][\w-]+["'])+/;

/** Reads a number as the grammar writes it; NaN for anything else. */
function readNumber(text: string): number {
	const [base, exponent] = text.replaceAll("_", "").replace("−", "-").split("**");
	return exponent === undefined ? Number(base) : Number(base) ** Number(exponent);
}

/** The limits a text states; an empty object when it states none. */
export function readLimits(text: string): ValueLimits {
	const limits: ValueLimits = {};
	const range = RANGE.exec(text);
	if (range) {
		limits.min = readNumber(range[1] ?? range[3]!);
		limits.max = readNumber(range[2] ?? range[4]!);
		if (limits.min > limits.max) {
			delete limits.min; // "warms down from 1 to 0" is no range of values
			delete limits.max;
		}
	} else {
		const lower = AT_LEAST.exec(text);
		if (lower) {
			limits.min = readNumber(lower[2]!);
			limits.minExcluded = /^(above|more|greater|>$)/i.test(lower[1]!);
		}
		const upper = AT_MOST.exec(text);
		if (upper) {
			limits.max = readNumber(upper[2]!);
			limits.maxExcluded = /^(below|under|less|fewer|<$)/i.test(upper[1]!);
		}
	}
	const oneOf = readOneOf(text);
	if (oneOf.length > 1) limits.oneOf = oneOf;
	const multiple = MULTIPLE.exec(text);
	if (multiple) limits.multipleOf = multiple[2] ?? readNumber(multiple[1]!);
	else if (EVEN.test(text)) limits.multipleOf = 2;
	const divides = DIVIDES.exec(text);
	if (divides) limits.divides = divides[1];
	if (POWER_OF_TWO.test(text)) limits.powerOfTwo = true;
	if (INTEGER.test(text)) limits.integer = true;
	if (FIXED.test(text)) limits.fixed = true;
	return limits;
}

/**
 * The limits of a text that is written in the grammar from end to end, with no other word in it; undefined for any
 * other text, so that a sentence is never taken for a limit.
 */
export function parseLimits(text: string): ValueLimits | undefined {
	const ends = RANGE.test(text) ? [RANGE] : [AT_LEAST, AT_MOST];
	const parts = [LIST, UNION, ...ends, MULTIPLE, EVEN, DIVIDES, POWER_OF_TWO, INTEGER, FIXED];
	const rest = parts.reduce((rest, part) => rest.replace(part, " "), text);
	if (!/^(?:[\s,;]|\ban?\b|\band\b)*\.?$/.test(rest)) return undefined;
	const limits = readLimits(text);
	return Object.keys(limits).length > 0 ? limits : undefined;
}

function readOneOf(text: string): (number | string)[] {
	if (/["'`][\w-]+["'`]\s*\|/.test(text)) return [...text.matchAll(QUOTED)].map((m) => m[1]!);
	const list = ONE_OF.exec(text)?.[1];
	if (list === undefined) return [];
	const quoted = [...list.matchAll(QUOTED)].map((m) => m[1]!);
	if (quoted.length > 0) return quoted;
	const words = list
		.split(/,|\bor\b|\band\b|\||\//)
		.map((word) => word.trim())
		.filter(Boolean);
	const numbers = words.map(readNumber);
	return numbers.some(Number.isNaN) ? words.filter((word) => /^[\w-]+$/.test(word)) : numbers;
}

/**
 * Whether a value keeps to the limits. `lookup` looks up other constants by name; a name it does not know limits
 * nothing.
 */
export function allows(limits: ValueLimits, value: number, lookup: (name: string) => number | undefined): boolean {
	const { min, max, multipleOf, divides } = limits;
	if (limits.oneOf) return limits.oneOf.includes(value);
	if (min !== undefined && (limits.minExcluded ? value <= min : value < min)) return false;
	if (max !== undefined && (limits.maxExcluded ? value >= max : value > max)) return false;
	if (limits.integer && !Number.isInteger(value)) return false;
	if (limits.powerOfTwo && !Number.isInteger(Math.log2(value))) return false;
	const step = typeof multipleOf === "string" ? lookup(multipleOf) : multipleOf;
	if (step && !isMultiple(value, step)) return false;
	const whole = divides === undefined ? undefined : lookup(divides);
	return whole === undefined || isMultiple(whole, value);
}

function isMultiple(value: number, step: number): boolean {
	const ratio = value / step;
	return Math.abs(ratio - Math.round(ratio)) < 1e-9;
}
