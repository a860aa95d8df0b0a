/**
 * Rewrites expressions for the CPU kernels: elementwise operations are gathered into fused expressions, updates of
 * parameters are written in place, and the two halves of cross-entropy become one pass.
 *
 * An elementwise result that only elementwise operations of its shape read is never stored: each of them computes it
 * again, which is cheaper than reading it from memory. An activation composed of several operations therefore costs one
 * pass, like a built-in one.
 */
import { type NoAttributes, sameShape } from "../ops/define.ts";
import { div } from "../ops/elementwise.ts";
import { uniformValue } from "../ops/leaf.ts";
import { crossEntropyBackward, crossEntropyOp } from "../ops/nn.ts";
import type { TensorOf } from "../ops/table.ts";
import type { Parameter } from "../parameter.ts";
import type { Plan, Update, Write } from "../plan.ts";
import { isLeaf, memoryOf, reachable } from "../schedule.ts";
import { type Attributes, type Shape, Tensor } from "../tensor.ts";
import { FusedExpression, isElementwise } from "./fused-expression.ts";

/** A ggml node has at most ten sources. */
const MAX_INPUTS = 9;
const MAX_INSTRUCTIONS = 48;

/** A fused expression as a tensor. With `targets`, its results go into these parameters instead. */
export class Fused extends Tensor {
	readonly expression: FusedExpression;
	readonly targets: readonly Parameter[];

	constructor(expression: FusedExpression, inputs: readonly Tensor[], targets: readonly Parameter[] = []) {
		super("fused", inputs, {}, expression.shape, "f32");
		this.expression = expression;
		this.targets = targets;
	}
}

/** Nodes of the CPU lowering alone, which only this file makes, and their attributes. */
interface FusedAttributes {
	/** A dense copy of the input. */
	copy: NoAttributes;
	/** The weighted losses of logits and targets; leaves the gradient of the logits in the place of the logits. */
	cross_entropy_fused: { softcap: number; weight: number };
	/** What the first input's place holds once the second has been computed. */
	in_place_gradient: NoAttributes;
}
export type FusedName = keyof FusedAttributes;
export type FusedTensorOf<Name extends FusedName> = Tensor & {
	readonly op: Name;
	readonly attrs: FusedAttributes[Name];
};

function fusedTensor<Name extends FusedName>(
	op: Name,
	inputs: readonly Tensor[],
	attrs: FusedAttributes[Name] & Attributes,
	shape: Shape,
): Tensor {
	return new Tensor(op, inputs, attrs, shape, "f32");
}

export function fuse(outputs: readonly Tensor[], updates: readonly Update[]): Plan {
	const nodes = reachable([...outputs, ...updates.map(({ value }) => value)]);
	const inside = chooseInside(nodes, new Set(outputs));
	const groups = groupUpdates(updates, inside);
	const grouped = new Set(groups.flatMap((group) => group.map(({ value }) => value)));
	// A value that is only written in place is not computed anywhere else.
	const written = new Set(updates.map(({ value }) => value).filter((value) => !grouped.has(value)));

	const rebuilt = new Map<Tensor, Tensor>();
	const of = (tensor: Tensor) => rebuilt.get(tensor) ?? tensor;
	const pairs = pairCrossEntropies(nodes);
	const readers = Map.groupBy(
		nodes.filter((node) => memoryOf(node) === node).flatMap((node) => node.inputs.map((input) => ({ input, node }))),
		({ input }) => memoryOf(input),
	);
	for (const node of nodes) {
		if (node.inputs.length === 0) continue;
		if (isElementwise(node)) {
			const isStored = !inside.has(node) || written.has(node) || outputs.includes(node);
			if (isStored && !grouped.has(node)) rebuilt.set(node, fused([node]));
		} else if (!rebuilt.has(node)) {
			const backward = pairs.get(node);
			if (backward) {
				const logits = memoryOf(node.inputs[0]!);
				const isShared =
					isLeaf(logits) ||
					outputs.some((output) => memoryOf(output) === logits) ||
					readers.get(logits)!.some((reader) => reader.node !== node && reader.node !== backward);
				const { losses, gradient } = fuseCrossEntropy(node, backward, isShared, of);
				rebuilt.set(node, losses).set(backward, gradient);
			} else rebuilt.set(node, new Tensor(node.op, node.inputs.map(of), node.attrs, node.shape, node.dtype));
		}
	}
	const inPlace = groups.map((group): Write => {
		const targets = group.map(({ target }) => target);
		const value = fused(
			group.map(({ value }) => value),
			targets,
		);
		return { targets, value, inPlace: true };
	});
	const copies = updates
		.filter(({ value }) => !grouped.has(value))
		.map(({ target, value }): Write => ({ targets: [target], value: of(value), inPlace: false }));
	return { outputs: outputs.map(of), writes: [...inPlace, ...copies] };

	function fused(roots: readonly Tensor[], targets?: readonly Parameter[]): Fused {
		const expression = new FusedExpression(
			roots,
			(tensor) => inside.has(tensor) && sameShape(tensor.shape, roots[0]!.shape),
		);
		return new Fused(expression, expression.inputs.map(of), targets);
	}
}

/** The elementwise results that are computed again wherever they are read. */
function chooseInside(nodes: readonly Tensor[], outputs: ReadonlySet<Tensor>): Set<Tensor> {
	const stored = new Set(outputs);
	for (const node of nodes) {
		for (const input of node.inputs) {
			if (!isElementwise(node) || !sameShape(input.shape, node.shape)) stored.add(input);
		}
	}
	const inside = new Set<Tensor>();
	const reads = new Map<Tensor, Set<Tensor>>();
	const length = new Map<Tensor, number>();
	for (const node of nodes) {
		if (!isElementwise(node)) continue;
		// Where an expression would grow too large, its largest operand is stored after all.
		for (;;) {
			const operands = node.inputs.filter((input) => inside.has(input));
			const read = new Set(
				node.inputs.flatMap((input) =>
					inside.has(input) ? [...reads.get(input)!] : uniformValue(input) === undefined ? [input] : [],
				),
			);
			const size = operands.reduce((total, input) => total + length.get(input)!, 1);
			reads.set(node, read);
			length.set(node, size);
			if (read.size <= MAX_INPUTS && size <= MAX_INSTRUCTIONS) break;
			const largest = operands.reduce((a, b) => (length.get(a)! >= length.get(b)! ? a : b));
			inside.delete(largest);
			stored.add(largest);
		}
		if (!stored.has(node)) inside.add(node);
	}
	return inside;
}

/**
 * Updates that can be written in place, those that read each other's targets together: an AdamW step of one parameter
 * is one expression with three results. An expression may read its targets element by element only, and no other
 * parameter that is about to change.
 */
function groupUpdates(updates: readonly Update[], inside: ReadonlySet<Tensor>): Update[][] {
	const byTarget = new Map<Tensor, Update>(updates.map((update) => [update.target, update]));
	const candidates = updates.filter(
		({ value }) => inside.has(value) && !new FusedExpression([value], (tensor) => inside.has(tensor)).isTrivial,
	);
	const groupOf = new Map<Update, Update[]>(candidates.map((update) => [update, [update]]));
	for (const update of candidates) {
		for (const input of new FusedExpression([update.value], (tensor) => inside.has(tensor)).inputs) {
			const other = byTarget.get(memoryOf(input));
			const mine = groupOf.get(update)!;
			const theirs = other && groupOf.get(other);
			if (!theirs || theirs === mine || !sameShape(update.value.shape, other.value.shape)) continue;
			mine.push(...theirs);
			for (const member of theirs) groupOf.set(member, mine);
		}
	}
	return [...new Set(groupOf.values())].filter((group) => {
		const { inputs, shape } = new FusedExpression(
			group.map(({ value }) => value),
			(tensor) => inside.has(tensor),
		);
		const targets = new Set<Tensor>(group.map(({ target }) => target));
		return (
			inputs.length <= MAX_INPUTS &&
			inputs.every((input) => {
				const memory = memoryOf(input);
				if (!byTarget.has(memory)) return true;
				return targets.has(memory) && input === memory && sameShape(input.shape, shape);
			})
		);
	});
}

/** Forward halves of cross-entropy with their backward halves, where one pass can do both. */
function pairCrossEntropies(nodes: readonly Tensor[]): Map<Tensor, TensorOf<"cross_entropy_backward">> {
	const pairs = new Map<Tensor, TensorOf<"cross_entropy_backward">>();
	for (const backward of nodes.filter(crossEntropyBackward.is)) {
		const [logits, targets, gradient] = backward.inputs as [Tensor, Tensor, Tensor];
		const forward = nodes.find(
			(node) =>
				crossEntropyOp.is(node) &&
				node.inputs[0] === logits &&
				node.inputs[1] === targets &&
				node.attrs.softcap === backward.attrs.softcap,
		);
		if (!forward || pairs.has(forward) || !uniformValue(gradient)) continue;
		pairs.set(forward, backward);
	}
	return pairs;
}

/**
 * Both halves as one pass that leaves the logits' gradient in the place of the logits, the largest tensor of most
 * models. Logits that something else reads are copied first.
 */
function fuseCrossEntropy(
	forward: Tensor,
	backward: TensorOf<"cross_entropy_backward">,
	isShared: boolean,
	of: (tensor: Tensor) => Tensor,
) {
	const [logits, targets, gradient] = backward.inputs as [Tensor, Tensor, Tensor];
	const { shape } = logits;
	const own = isShared ? fusedTensor("copy", [of(logits)], {}, shape) : of(logits);
	const attrs = { softcap: backward.attrs.softcap, weight: uniformValue(gradient)! };
	const losses = fusedTensor("cross_entropy_fused", [own, of(targets)], attrs, forward.shape);
	return { losses: div(losses, attrs.weight), gradient: fusedTensor("in_place_gradient", [own, losses], {}, shape) };
}
