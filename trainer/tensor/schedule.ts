/** In which order a program computes: inputs first, and no parameter written before its last reader. */
import { fail, show } from "./errors.ts";
import { sameShape } from "./ops/define.ts";
import { Parameter } from "./parameter.ts";
import type { Tensor } from "./tensor.ts";

/** After a run, `target` holds what `value` was computed to be from the parameters as they were before it. */
export interface Update {
	target: Parameter;
	value: Tensor;
}

/** A parameter's next value: `assign(momentum, momentum.mul(0.9).add(gradient))`. */
export function assign(target: Parameter, value: Tensor): Update {
	if (!sameShape(target.shape, value.shape)) {
		fail("assign", `${target.name} is ${show(target.shape)}, its new value ${show(value.shape)}`);
	}
	return { target, value };
}

export type Task = { compute: Tensor } | { write: Update };

/** Operations whose result may share memory with their input: reading them later reads the input later. */
const ALIASES = new Set(["reshape", "slice", "detach"]);

/**
 * Orders a program. Tensors are computed in the order they were made, which for gradients is the order of the backward
 * sweep, so that each layer's activations can be freed as it passes.
 */
export function schedule(outputs: readonly Tensor[], updates: readonly Update[]): Task[] {
	const nodes = reachable([...outputs, ...updates.map((update) => update.value)]);
	const lastRead = new Map<Tensor, number>();
	nodes.forEach((node, i) => {
		for (const input of node.inputs) lastRead.set(memoryOf(input), i);
	});
	const position = new Map(nodes.map((node, i) => [node, i]));
	const writes = Map.groupBy(updates, ({ target, value }) => {
		// A value that is itself an alias of a parameter is read when it is written.
		return Math.max(position.get(value)!, lastRead.get(target) ?? 0);
	});
	rejectTwins(updates);
	rejectSwaps(updates);
	return nodes.flatMap((compute, i) => [{ compute }, ...(writes.get(i) ?? []).map((write) => ({ write }))]);
}

/** Everything `roots` depend on, inputs before users. */
export function reachable(roots: readonly Tensor[]): Tensor[] {
	const seen = new Set<Tensor>();
	const stack = [...roots];
	for (let node = stack.pop(); node; node = stack.pop()) {
		if (seen.has(node)) continue;
		seen.add(node);
		stack.push(...node.inputs);
	}
	return [...seen].sort((a, b) => a.id - b.id);
}

/** The tensor whose memory this one may share: itself, or what it is only another view of. */
export function memoryOf(tensor: Tensor): Tensor {
	let root = tensor;
	while (ALIASES.has(root.op)) root = root.inputs[0]!;
	return root;
}

function rejectTwins(updates: readonly Update[]): void {
	const seen = new Set<Parameter>();
	for (const { target } of updates) {
		if (seen.has(target)) fail("compile", `${target.name} is updated twice`);
		seen.add(target);
	}
}

/** An update that copies another updated parameter as it is would see it half-way: make it a computed value. */
function rejectSwaps(updates: readonly Update[]): void {
	const targets = new Set<Tensor>(updates.map((update) => update.target));
	for (const { target, value } of updates) {
		const source = memoryOf(value);
		if (source !== target && targets.has(source) && source instanceof Parameter) {
			fail("compile", `${target.name} takes the value of ${source.name}, which is updated in the same run`);
		}
	}
}
