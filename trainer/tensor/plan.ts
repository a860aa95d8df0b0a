/** A graph before it is built: what it computes, and what it writes. */
import type { Parameter } from "./parameter.ts";
import type { Tensor } from "./tensor.ts";

/** After a run, `target` holds what `value` was computed to be from the parameters as they were before it. */
export interface Update {
	target: Parameter;
	value: Tensor;
}

/** What happens to parameters at the end of a run. */
export interface Write {
	targets: readonly Parameter[];
	value: Tensor;
	/** Whether computing `value` writes the targets; otherwise it is copied to the only one. */
	inPlace: boolean;
}

/** What a lowering is given to build. */
export interface Plan {
	/** The tensors whose values are asked for, in the order given. */
	outputs: readonly Tensor[];
	writes: readonly Write[];
}

/** One step of a graph in its order. */
export type Task = { compute: Tensor } | { copy: Write };
