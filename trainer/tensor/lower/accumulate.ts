/** Sums that grow from run to run, as those of accumulated gradients, for the portable lowering. */
import { sameShape } from "../ops/define.ts";
import type { Plan, Write } from "../plan.ts";
import { memoryOf, reachable } from "../schedule.ts";
import { Tensor } from "../tensor.ts";

/** A node of this lowering alone: adds the second input to the first, where the first lies. */
export const ACCUMULATE = "accumulate";

/**
 * Adds to a parameter where it lies, when its new value is itself and something more that nothing else reads: no second
 * tensor is made, and nothing is copied.
 */
export function accumulateInPlace({ outputs, writes }: Plan): Plan {
	const changing = new Set<Tensor>(writes.flatMap(({ targets }) => targets));
	const values = writes.map(({ value }) => value);
	const read = new Set([...outputs, ...reachable([...outputs, ...values]).flatMap(({ inputs }) => inputs)]);
	return {
		outputs,
		writes: writes.map((write): Write => {
			const { targets, value } = write;
			const [target] = targets;
			if (value.op !== "add" || read.has(value) || values.filter((other) => other === value).length > 1) return write;
			const more = value.inputs.find((input) => input !== target);
			const isSum = value.inputs.includes(target!) && more && sameShape(more.shape, value.shape);
			// Another parameter that changes in this run would have to be read before it does.
			if (!isSum || changing.has(memoryOf(more))) return write;
			const sum = new Tensor(ACCUMULATE, [target!, more], {}, value.shape, value.dtype);
			return { targets, value: sum, inPlace: true };
		}),
	};
}
