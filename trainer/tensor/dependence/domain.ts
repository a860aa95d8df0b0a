/**
 * What is known of a tensor without computing it: for each element, which tokens it can depend on and between which
 * numbers it lies. Both are bounds from outside: an element may depend on less and vary less.
 *
 * The tokens an element can depend on are written as one number, a reach: none; one row of the batch and the last
 * position in it; or several rows. The numbers matter because 0 times something is 0 only while that is finite, and a
 * masked score is lost in a softmax only while it stays far enough below the others. An element that can have one value
 * alone depends on nothing.
 */
import { type Grid, map, uniform, zip } from "./grid.ts";

/** Of one tensor. `lo` and `hi` have the same dimensions. */
export interface Dependence {
	readonly reach: Grid;
	readonly lo: Grid;
	readonly hi: Grid;
}

export const NOTHING = -1;
/** A reach is twice the token's number, and 1 more if the element is sure to depend on that token. */
const ROW = 2 ** 21;
const SEVERAL_ROWS = 2 ** 45;
/** Rows, and positions of a row, that a reach can tell apart. */
export const MAX_POSITIONS = 2 ** 20;

/** The reach of the token at a position itself. */
export function reachOf(row: number, position: number): number {
	return row * ROW + 2 * position + 1;
}

/** Whether an element of `row` may see only tokens of its own row up to `position`. */
export function isWithin(reach: number, row: number, position: number): boolean {
	return reach === NOTHING || (Math.floor(reach / ROW) === row && reach <= reachOf(row, position));
}

export function isSure(reach: number): boolean {
	return reach >= 0 && reach % 2 === 1;
}

/** The same tokens, without being sure that they matter. */
export function doubt(reach: number): number {
	return isSure(reach) ? reach - 1 : reach;
}

/** The reach of what is computed from two elements. It is sure only where what reaches further is. */
export function join(a: number, b: number): number {
	if (a === b || b === NOTHING) return a;
	if (a === NOTHING) return b;
	if (a >= SEVERAL_ROWS || b >= SEVERAL_ROWS || Math.floor(a / ROW) === Math.floor(b / ROW)) {
		return Math.floor(a / 2) === Math.floor(b / 2) ? Math.min(a, b) : Math.max(a, b);
	}
	return SEVERAL_ROWS + (isSure(a) && isSure(b) ? 1 : 0);
}

/** The same where equal terms may cancel, as in a sum over all positions less the sum over later ones. */
export function joinDifference(a: number, b: number): number {
	const both = join(a, b);
	return a !== NOTHING && Math.floor(a / 2) === Math.floor(b / 2) ? doubt(both) : both;
}

/** Whether no element depends on any token. */
export function isFixed({ reach }: Dependence): boolean {
	return everywhere(reach, (value) => value === NOTHING);
}

export function everywhere(x: Grid, fn: (value: number) => boolean): boolean {
	return x.values.every(fn);
}

// ---------------------------------------------------------------------------------------------------------- numbers

export type Interval = readonly [lo: number, hi: number];

/** Any number, infinity or NaN. */
export const ANYTHING: Interval = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const LARGEST = 3e38;
/** Below this a float32 may be rounded to 0. */
const SMALLEST = 1e-37;
/** Far more than one operation in float32 is off by, relatively. */
const ROUNDING = 1e-5;

/** An interval with room for rounding in float32. Zero, and the sign, are exact. */
export function rounded(lo: number, hi: number): Interval {
	if (lo === hi && (lo === 0 || Math.abs(lo) === Number.POSITIVE_INFINITY)) return [lo, hi];
	if (!(lo >= -LARGEST && hi <= LARGEST)) return ANYTHING;
	const low = lo > 0 ? lo * (1 - ROUNDING) : lo * (1 + ROUNDING);
	const high = hi > 0 ? hi * (1 + ROUNDING) : hi * (1 - ROUNDING);
	return [low > 0 && low < SMALLEST ? 0 : low, high < 0 && high > -SMALLEST ? 0 : high];
}

/** The one value of a computation with constants: exact where float32 holds it, however it is computed. */
export function exactly(value: number): Interval {
	return Math.fround(value) === value ? [value, value] : rounded(value, value);
}

export function isBounded(x: Dependence): boolean {
	return everywhere(x.lo, Number.isFinite) && everywhere(x.hi, Number.isFinite);
}

/** The largest magnitude; infinity where a value may be infinite or NaN. */
export function magnitude(x: Dependence): number {
	let most = 0;
	for (const value of x.lo.values) most = Math.max(most, Math.abs(value));
	for (const value of x.hi.values) most = Math.max(most, Math.abs(value));
	return most;
}

export function isNonNegative(x: Dependence): boolean {
	return everywhere(x.lo, (value) => value >= 0);
}

/** 1 where the value is exactly 0. */
export function zerosOf(x: Dependence): Grid {
	return zip(x.lo, x.hi, (lo, hi) => (lo === 0 && hi === 0 ? 1 : 0));
}

// ----------------------------------------------------------------------------------------------------- dependences

/** Puts the two together: what can have one value alone depends on nothing. */
export function dependence(reach: Grid, lo: Grid, hi: Grid): Dependence {
	const hasFixed = lo.values.some((low, i) => low === hi.values[i]);
	if (!hasFixed || everywhere(reach, (r) => r === NOTHING)) return { reach, lo, hi };
	const isFixed = zip(lo, hi, (l, h) => (l === h ? 1 : 0));
	return { reach: zip(reach, isFixed, (r, fixed) => (fixed ? NOTHING : r)), lo, hi };
}

/** One interval for all elements. */
export function between(reach: Grid, [lo, hi]: Interval): Dependence {
	const rank = reach.dims.length;
	return dependence(reach, uniform(rank, lo), uniform(rank, hi));
}

export function mapRange(x: Dependence, fn: (lo: number, hi: number) => Interval): { lo: Grid; hi: Grid } {
	return { lo: zip(x.lo, x.hi, (lo, hi) => fn(lo, hi)[0]), hi: zip(x.lo, x.hi, (lo, hi) => fn(lo, hi)[1]) };
}

export const doubtful = (reach: Grid): Grid => map(reach, doubt);
