/**
 * Cross-entropy of large batches for the portable lowering, from expressions to expressions: where logits are a product
 * that only their loss and its gradients read, a chunk of rows at a time goes all the way from its logits to its
 * losses, its rows of the input's gradient, and its share of the weight's. The logits [tokens, vocabulary], their
 * probabilities and their gradient are never in memory all at once.
 */
import { add } from "../ops/elementwise.ts";
import { full, uniformValue } from "../ops/leaf.ts";
import { matmulOp } from "../ops/matmul.ts";
import { crossEntropyBackward, crossEntropyOp } from "../ops/nn.ts";
import { concat, slice } from "../ops/shape.ts";
import { build } from "../ops/table.ts";
import type { Plan, Update } from "../plan.ts";
import { reachable } from "../schedule.ts";
import { Tensor } from "../tensor.ts";

/** Elements of the largest logits that are not cut, and of a chunk's: 2^26 are 268 MB. */
const MAX_LOGITS = 2 ** 26;

/**
 * A chunk's rows are a multiple of this, so that it begins at an address every device can read from (Vulkan: 256
 * bytes).
 */
export const ROW_MULTIPLE = 64;

export function chunkCrossEntropies(
	outputs: readonly Tensor[],
	updates: readonly Update[],
	maxLogits: number = MAX_LOGITS,
): Plan {
	let roots = [...outputs, ...updates.map(({ value }) => value)];
	for (let head = findHead(roots, maxLogits); head; head = findHead(roots, maxLogits)) roots = cutHead(roots, head);
	const values = roots.slice(outputs.length);
	return {
		outputs: roots.slice(0, outputs.length),
		writes: updates.map(({ target }, i) => ({ targets: [target], value: values[i]!, inPlace: false })),
	};
}

interface Head {
	/**
	 * What is computed together for each chunk, the logits first. Where the gradient upstream follows from losses, which
	 * are not there before the last chunk, there are two passes: the second computes the logits again.
	 */
	passes: readonly (readonly Tensor[])[];
	/** Rows in a chunk. */
	rows: number;
}

function findHead(roots: readonly Tensor[], maxLogits: number): Head | undefined {
	const nodes = reachable(roots);
	const edges = nodes.flatMap((node) => [...new Set(node.inputs)].map((input) => ({ input, node })));
	const readers = Map.groupBy(edges, ({ input }) => input);
	const readersOf = (tensor: Tensor) => readers.get(tensor)?.map(({ node }) => node) ?? [];

	for (const logits of nodes) {
		if (!matmulOp.is(logits) || logits.shape.length !== 2 || logits.attrs.transposeA) continue;
		const [N, V] = logits.shape as [number, number];
		const rows = Math.max(1, Math.floor(maxLogits / V / ROW_MULTIPLE)) * ROW_MULTIPLE;
		if (N * V <= maxLogits || N <= rows) continue;

		const halves = readersOf(logits);
		const losses = halves.filter(crossEntropyOp.is);
		const gradients = halves.filter(crossEntropyBackward.is);
		const products = gradients.flatMap(readersOf);
		const isAskedFor = [logits, ...gradients].some((tensor) => roots.includes(tensor));
		if (isAskedFor || losses.length + gradients.length < halves.length || !products.every(isProduct)) continue;

		const backward = [...new Set([...gradients, ...products])];
		const before = new Set(reachable(needsOf([logits, ...backward])));
		if (backward.some((node) => before.has(node))) continue;
		const isAfterLosses = [...before].some(crossEntropyOp.is);
		const passes = isAfterLosses ? [losses, backward] : [[...losses, ...backward]];
		return { passes: passes.map((pass) => [logits, ...pass]), rows };
	}
	return undefined;
}

/**
 * Whether rows of the gradient give rows of the product, or a share of it, as those of dz do in dx = dz W and dW = dzᵀ
 * x.
 */
function isProduct(node: Tensor): boolean {
	return matmulOp.is(node) && (isSum(node) || !node.attrs.transposeA);
}

/** Aᵀ B: the sum of what each row of A and B gives. */
function isSum(node: Tensor): boolean {
	return matmulOp.is(node) && node.attrs.transposeA && !node.attrs.transposeB;
}

/** Whether every chunk of `node` reads all of input `i`; it reads rows of the others. */
function isWhole(node: Tensor, i: number): boolean {
	return matmulOp.is(node) && !isSum(node) && i === 1;
}

/** What must be there before a pass begins. */
function needsOf(pass: readonly Tensor[]): Tensor[] {
	return pass.flatMap((node) => node.inputs.filter((input, i) => isWhole(node, i) || !pass.includes(input)));
}

/**
 * The expressions with a head in chunks. All are rebuilt in their old order: tensors are computed in the order they
 * were made, and a chunk's memory is freed before the next chunk's is taken.
 */
function cutHead(roots: readonly Tensor[], { passes, rows }: Head): Tensor[] {
	const rebuilt = new Map<Tensor, Tensor>();
	const of = (tensor: Tensor) => rebuilt.get(tensor) ?? tensor;
	const place = (node: Tensor) => {
		if (rebuilt.has(node) || node.inputs.length === 0) return;
		const pass = passes.find((pass) => pass.includes(node));
		if (!pass) {
			rebuilt.set(node, new Tensor(node.op, node.inputs.map(of), node.attrs, node.shape, node.dtype));
			return;
		}
		// The gradient upstream was made after the logits.
		for (const need of reachable(needsOf(pass))) place(need);
		for (const [member, whole] of inChunks(pass, rows, of)) rebuilt.set(member, whole);
	};
	for (const node of reachable(roots)) place(node);
	return roots.map(of);
}

/**
 * Each tensor of a pass, put together from its chunks. Those that nothing reads, such as the logits, are never
 * computed.
 */
function inChunks(pass: readonly Tensor[], rows: number, of: (tensor: Tensor) => Tensor): Map<Tensor, Tensor> {
	const N = pass[0]!.dim(0);
	const sums = new Map<Tensor, Tensor>();
	const parts = new Map<Tensor, Tensor[]>(pass.map((node) => [node, []]));
	for (let from = 0; from < N; from += rows) {
		const to = Math.min(N, from + rows);
		const chunk = new Map<Tensor, Tensor>();
		// Each tensor is cut once: both halves of cross-entropy share what the same logits and targets give.
		const rowsOf = (tensor: Tensor) => {
			const value = uniformValue(tensor);
			const part =
				chunk.get(tensor) ??
				(value === undefined ? slice(of(tensor), 0, from, to) : full(tensor.shape.with(0, to - from), value));
			chunk.set(tensor, part);
			return part;
		};
		for (const node of pass) {
			const inputs = node.inputs.map((input, i) => (isWhole(node, i) ? of(input) : rowsOf(input)));
			const part = build(node.op, inputs, node.attrs);
			chunk.set(node, part);
			if (!isSum(node)) parts.get(node)!.push(part);
			else sums.set(node, sums.has(node) ? add(sums.get(node)!, part) : part);
		}
	}
	return new Map(pass.map((node) => [node, sums.get(node) ?? concat(parts.get(node)!, 0)]));
}
