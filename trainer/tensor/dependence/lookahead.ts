/**
 * Whether a model can look ahead, decided from its graph: an abstract interpretation (Cousot & Cousot 1977) that
 * computes, in place of numbers, which tokens each element can depend on. "none" is a proof for every text.
 */
import { show } from "../errors.ts";
import { definition } from "../ops/table.ts";
import { Parameter } from "../parameter.ts";
import { reachable } from "../schedule.ts";
import type { Tensor, Values } from "../tensor.ts";
import {
	ANYTHING,
	between,
	type Dependence,
	dependence,
	type Interval,
	isSure,
	isWithin,
	MAX_POSITIONS,
	magnitude,
	NOTHING,
	reachOf,
} from "./domain.ts";
import { grid, spend, TooMuch, uniform, withBudget } from "./grid.ts";

export interface Lookahead {
	/**
	 * "none": no logit can depend on a token after its position, or on another row. "found": some do. "unknown": neither
	 * is shown.
	 */
	verdict: "none" | "found" | "unknown";
	/** For "found": where a position first depends on what it may not see. */
	where?: Tensor;
	/** No logit can be larger or smaller than this; infinity where there is no bound. */
	largest: number;
}

/** What is wrong with a model found to look ahead, with the line of train.ts where that is known. */
export function lookaheadProblem(where: Tensor, line?: string): string {
	const operation = `${where.op} ${show(where.shape)}${line === undefined ? "" : ` (${line})`}`;
	return `the model looks ahead: from ${operation} on, positions depend on later tokens or on other rows`;
}

/** Values of a mask that are kept one by one: a table of 2,048 x 2,048 positions. */
const MAX_MASK = 2 ** 22;
const LARGEST_WEIGHT = 1e3;
/** Where weights are taken to lie before they are known. */
const UNKNOWN: Interval = [-LARGEST_WEIGHT, LARGEST_WEIGHT];
const UNDECIDED: Lookahead = { verdict: "unknown", largest: Number.POSITIVE_INFINITY };
/** Numbers that may be computed for a graph: some seconds' worth. */
const MAX_WORK = 2 ** 28;

/**
 * Whether `logits` [rows, length, vocabulary] look ahead of the position in `tokens` [rows, length] that they belong
 * to. A parameter is taken to hold what it starts from: "none" holds for these weights, and may not for others. Before
 * training weights are "unknown": "found" then holds for whatever they become, "none" is no proof.
 */
export function lookahead(logits: Tensor, tokens: Tensor, weights: "known" | "unknown" = "known"): Lookahead {
	const [rows, length] = tokens.shape as [number, number];
	if (Math.max(rows, length) >= MAX_POSITIONS) return UNDECIDED;
	const known = new Map<Tensor, Dependence>();
	let where: Tensor | undefined;
	try {
		withBudget(MAX_WORK, () => {
			for (const node of reachable([logits])) {
				const found = ofNode(node);
				known.set(node, found);
				spend(rows * length);
				where ??= surely(node, found) ? node : undefined;
			}
		});
	} catch (error) {
		if (error instanceof TooMuch) return UNDECIDED;
		throw error;
	}
	const result = known.get(logits)!;
	const largest = magnitude(result);
	if (forEachPosition(logits, result.reach, isWithin)) return { verdict: "none", largest };
	if (!surely(logits, result)) return { verdict: "unknown", largest };
	return { verdict: "found", largest, where: where! };

	function ofNode(node: Tensor): Dependence {
		if (node === tokens) {
			const reach = grid(node.shape, (i) => reachOf(Math.floor(i / length), i % length));
			return between(reach, [0, 2 ** 31]);
		}
		if (node instanceof Parameter) {
			return weights === "known" ? ofValues(node, node.initial) : between(uniform(node.shape.length, NOTHING), UNKNOWN);
		}
		if (node.values) return ofValues(node, node);
		const inputs = node.inputs.map((input) => known.get(input)!);
		return definition(node.op)!.dependence(inputs, node.attrs as never, node);
	}

	/** Whether some element surely depends on what its position may not see. */
	function surely(node: Tensor, { reach }: Dependence): boolean {
		return !forEachPosition(node, reach, (reach, row, at) => isWithin(reach, row, at) || !isSure(reach));
	}

	/** Whether `fits` holds for all elements of a tensor that begins with rows and positions, or with both in one. */
	function forEachPosition(
		{ shape }: Tensor,
		{ dims, values }: Dependence["reach"],
		fits: (reach: number, row: number, position: number) => boolean,
	): boolean {
		const isFlat = shape[0] === rows * length;
		if (!isFlat && !(shape[0] === rows && shape[1] === length)) return true;
		const leading = isFlat ? 1 : 2;
		const inner = dims.slice(leading).reduce((product, n) => product * n, 1);
		for (let row = 0; row < rows; row++) {
			for (let position = 0; position < length; position++) {
				const at = isFlat
					? dims[0] === 1
						? 0
						: row * length + position
					: (dims[0] === 1 ? 0 : row) * dims[1]! + (dims[1] === 1 ? 0 : position);
				for (let i = 0; i < inner; i++) if (!fits(values[at * inner + i]!, row, position)) return false;
			}
		}
		return true;
	}
}

/**
 * Of a leaf that holds `of`: what its values lie between; and one by one where it may be a mask, with zeros in it or
 * numbers far larger than weights are.
 */
function ofValues(node: Tensor, of: Tensor): Dependence {
	const nothing = uniform(node.shape.length, NOTHING);
	const values: Values | readonly [number] = of.values ?? [Math.fround(of.attrs.value as number)];
	if (values.length === 1) return between(nothing, [values[0]!, values[0]!]);
	let [lo, hi, zeros, areNumbers] = [values[0]!, values[0]!, 0, true];
	for (let i = 0; i < values.length; i++) {
		const value = values[i]!;
		if (value < lo) lo = value;
		if (value > hi) hi = value;
		if (value === 0) zeros++;
		areNumbers &&= !Number.isNaN(value);
	}
	if (!areNumbers) return between(nothing, ANYTHING);
	const isMask = zeros > 0 || lo < -LARGEST_WEIGHT || hi > LARGEST_WEIGHT || node.dtype === "i32";
	if (!isMask || values.length > MAX_MASK) return between(nothing, Number.isFinite(lo + hi) ? [lo, hi] : ANYTHING);
	const side = grid(node.shape, (i) => values[i]!);
	return dependence(nothing, side, side);
}
