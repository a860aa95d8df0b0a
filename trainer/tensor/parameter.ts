/** Tensors that keep their values from step to step: the weights of a model and the buffers of its optimizer. */
import { fail, show } from "./errors.ts";
import { checkShape, describe, gigabytes, requireTensor } from "./ops/define.ts";
import { tensor } from "./ops/leaf.ts";
import type { Random } from "./random.ts";
import { type Shape, sizeOf, Tensor } from "./tensor.ts";

/** A tensor that keeps its values between runs; the updates of a compiled graph change them. */
export class Parameter extends Tensor {
	readonly name: string;
	/** False for a buffer, which `parameters` leaves out. */
	readonly trainable: boolean;
	readonly initial: Tensor;

	/** For the library; train.ts uses `parameter` and `buffer`. */
	constructor(name: string, initial: Tensor, trainable: boolean) {
		if (typeof name !== "string") fail("parameter", `a name is wanted first, not ${describe(name)}`);
		requireTensor(`parameter ${name}`, initial);
		if (initial.op !== "full" && !(initial.values instanceof Float32Array)) {
			const wanted = "zeros, ones, full, uniform, normal or tensor";
			fail(`parameter ${name}`, `starts from ${wanted}, not from a computed ${initial.op}`);
		}
		super("parameter", [], { name }, initial.shape, "f32");
		this.name = name;
		this.trainable = trainable;
		this.initial = initial;
	}
}

/**
 * A weight to be learned, in the shape of `initial`, which it starts from: zeros, ones, full, uniform, normal or
 * tensor. Names are unique within a model: they name the weights on disk.
 * @throws TensorError when `initial` is computed or holds token ids.
 */
export function parameter(name: string, initial: Tensor): Parameter {
	return new Parameter(name, initial, true);
}

/**
 * A tensor that keeps its values from step to step, as the moments of an optimizer do: starts from `initial` like a
 * parameter, changes only by updates, and is left out of `parameters` (PyTorch: register_buffer). Open programs that
 * step the same weights may update one buffer, but not two of the same name.
 * @throws TensorError when `initial` is computed or holds token ids.
 */
export function buffer(name: string, initial: Tensor): Parameter {
	return new Parameter(name, initial, false);
}

/** Every trainable parameter that `of` depends on, in the order the model uses them. */
export function parameters(...of: Tensor[]): Parameter[] {
	requireTensor("parameters", ...of);
	const seen = new Set<Tensor>();
	const found: Parameter[] = [];
	const stack = of.toReversed();
	for (let node = stack.pop(); node; node = stack.pop()) {
		if (seen.has(node)) continue;
		seen.add(node);
		if (node instanceof Parameter && node.trainable) found.push(node);
		stack.push(...node.inputs.toReversed());
	}
	return found;
}

/**
 * A fixed tensor of `shape`, normally distributed with mean 0 and standard deviation `std` (Box & Muller 1958).
 * @throws TensorError when the shape is none or `std` is not finite.
 */
export function normal(shape: Shape, std: number, random: Random): Tensor {
	const values = room("normal", shape, std, random);
	for (let i = 0; i < values.length; i += 2) {
		// Box-Muller: two uniform draws make two normal ones.
		const radius = std * Math.sqrt(-2 * Math.log(1 - random()));
		const angle = 2 * Math.PI * random();
		values[i] = radius * Math.cos(angle);
		if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
	}
	return tensor(values, shape);
}

/**
 * A fixed tensor of `shape`, uniformly distributed in [-bound, bound).
 * @throws TensorError when the shape is none or `bound` is not finite.
 */
export function uniform(shape: Shape, bound: number, random: Random): Tensor {
	const values = room("uniform", shape, bound, random);
	for (let i = 0; i < values.length; i++) values[i] = (2 * random() - 1) * bound;
	return tensor(values, shape);
}

/** Checks the arguments of an initialiser and allocates its values. */
function room(op: string, shape: Shape, spread: number, random: Random): Float32Array<ArrayBuffer> {
	checkShape(op, shape);
	if (!Number.isFinite(spread)) fail(op, `a number is wanted second, not ${describe(spread)}`);
	if (typeof random !== "function") fail(op, `seeded(…) is wanted third, not ${describe(random)}`);
	try {
		return new Float32Array(sizeOf(shape));
	} catch {
		fail(op, `${show(shape)} needs ${gigabytes(shape)}, more memory than there is`);
	}
}
