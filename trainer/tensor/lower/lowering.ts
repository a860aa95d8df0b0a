/**
 * How expressions become ggml nodes, behind one interface. There are two lowerings: portable.ts (ggml's own operations,
 * any device) and cpu.ts (our kernels, for the CPU).
 */
import type { Device } from "../device/device.ts";
import type { Ggml, Pointer } from "../ggml.ts";
import type { Plan, Update } from "../plan.ts";
import type { Shape, Tensor, Values } from "../tensor.ts";

/** What a lowering builds with. Every ggml tensor that stands for a `Tensor` is contiguous. */
export interface Builder {
	readonly device: Device;
	readonly ggml: Ggml;
	/** The ggml context new nodes belong to. */
	readonly context: Pointer;
	/** The ggml tensor of an input that was lowered before. */
	readonly of: (tensor: Tensor) => Pointer;
	/** A tensor that is filled once, before the first run, e.g. an attention mask. The same key gives the same tensor. */
	constant(key: string, shape: Shape, values: () => Values): Pointer;
	/** Shares what several tensors of one graph need, e.g. attention's probabilities. */
	memo(key: string, make: () => Pointer): Pointer;
	/** Puts a node into the graph now, so that it runs before any that is added later. */
	schedule(node: Pointer): void;
	/** Calls back when every node has its memory. */
	onAllocated(callback: () => void): void;
	/** Calls back when the graph is closed. */
	onClose(callback: () => void): void;
}

export interface Lowering {
	readonly name: string;
	/** Rewrites outputs and updates before they are ordered. */
	prepare(outputs: readonly Tensor[], updates: readonly Update[]): Plan;
	/** Builds the ggml nodes of one tensor whose inputs have been lowered. */
	lower(tensor: Tensor, builder: Builder): Pointer;
}
