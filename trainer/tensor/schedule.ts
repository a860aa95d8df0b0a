/** The order in which a graph computes: inputs first, and no parameter written before its last reader. */
import { fail, show } from "./errors.ts";
import { describe, requireF32, sameShape } from "./ops/define.ts";
import type { OpName } from "./ops/table.ts";
import { Parameter } from "./parameter.ts";
import type { Plan, Task, Update } from "./plan.ts";
import { Tensor } from "./tensor.ts";

/**
 * A parameter's or buffer's next value, of the same shape: `assign(momentum, momentum.mul(0.9).add(gradient))`.
 * @throws TensorError when the shapes differ.
 */
export function assign(target: Parameter, value: Tensor): Update {
	if (!(target instanceof Parameter)) fail("assign", `a parameter or a buffer is wanted, not ${describe(target)}`);
	requireF32("assign", value);
	if (!sameShape(target.shape, value.shape)) {
		fail("assign", `${target.name} is ${show(target.shape)}, its new value ${show(value.shape)}`);
	}
	return { target, value };
}

/** Refuses outputs that are no tensors: a misspelt name, a list of gradients. */
export function checkOutputs(outputs: Readonly<Record<string, unknown>>): void {
	for (const [name, output] of Object.entries(outputs)) {
		if (!(output instanceof Tensor)) fail("compile", `output ${name} must be a tensor, not ${describe(output)}`);
	}
}

/** Refuses updates that have no meaning, before anything is built from them. */
export function checkUpdates(updates: readonly Update[]): void {
	if (!Array.isArray(updates)) fail("compile", `a list of updates is wanted, not ${describe(updates)}`);
	for (const update of updates) {
		const isUpdate = update?.target instanceof Parameter && update.value instanceof Tensor;
		if (!isUpdate) fail("compile", `updates are made with assign; ${describe(update)} is none`);
	}
	const targets = new Set<Tensor>();
	for (const { target } of updates) {
		if (targets.has(target)) fail("compile", `${target.name} is updated twice`);
		targets.add(target);
	}
	for (const { target, value } of updates) {
		// A plain copy of a parameter that changes too could see it half-way; a computed value cannot.
		const source = memoryOf(value);
		if (source instanceof Parameter && source !== target && targets.has(source)) {
			fail("compile", `${target.name} takes the value of ${source.name}, which is updated in the same run`);
		}
	}
}

/**
 * Orders a graph. Tensors are computed in the order they were made, which for gradients is the order of the backward
 * sweep, so that each layer's activations can be freed as it passes. Writes come as soon as nothing reads what they
 * replace.
 */
export function schedule({ outputs, writes }: Plan): Task[] {
	const inPlace = new Set(writes.filter((write) => write.inPlace).map(({ value }) => value));
	const nodes = reachable([...outputs, ...writes.map(({ value }) => value)]);
	const position = new Map(nodes.map((node, i) => [node, i]));
	const lastRead = new Map<Tensor, number>();
	nodes.forEach((node, i) => {
		if (inPlace.has(node)) return;
		for (const input of node.inputs) lastRead.set(memoryOf(input), i);
	});
	const writesAt = Map.groupBy(writes, ({ targets, value }) =>
		Math.max(position.get(value)!, ...targets.map((target) => lastRead.get(target) ?? 0)),
	);
	return nodes.flatMap((node, i): Task[] => [
		...(inPlace.has(node) ? [] : [{ compute: node }]),
		...(writesAt.get(i) ?? []).map((write) => (write.inPlace ? { compute: write.value } : { copy: write })),
	]);
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

/** Operations whose result may share memory with their input: reading them later reads the input later. */
const ALIASES: ReadonlySet<string> = new Set<OpName>(["reshape", "slice", "detach"]);

/** The tensor whose memory this one may share: itself, or what it is only another view of. */
export function memoryOf(tensor: Tensor): Tensor {
	let root = tensor;
	while (ALIASES.has(root.op)) root = root.inputs[0]!;
	return root;
}

const LEAVES = new Set(["parameter", "input", "constant", "full"]);

/** Tensors that hold values instead of computing them. */
export function isLeaf(tensor: Tensor): boolean {
	return LEAVES.has(tensor.op);
}
