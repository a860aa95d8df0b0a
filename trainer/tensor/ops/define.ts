/**
 * The table of operations. Every operation is defined once, in this folder: the attributes it takes, the shape it gives,
 * and its gradient rule. A checkpoint is rebuilt through this same table, so a file cannot hold anything train.ts could
 * not have written.
 */
import { fail, show } from "../errors.ts";
import { type Attributes, type Dtype, type Shape, sizeOf, Tensor } from "../tensor.ts";

/** Largest tensor allowed, in elements: indices and byte sizes stay exact in ggml's 64-bit and JavaScript's numbers. */
const MAX_ELEMENTS = 2 ** 32;
export const MAX_DIMENSIONS = 4;

type AttributeType = "number" | "integer" | "integers" | "boolean";

export interface Definition<A extends Attributes = Attributes> {
	/** How many inputs; undefined when any number of at least one will do. */
	arity: number | undefined;
	attrs: { readonly [K in keyof A]: AttributeType };
	/** The result's shape and dtype; calls `fail` when the inputs do not suit. */
	infer(inputs: readonly Tensor[], attrs: A): { shape: Shape; dtype?: Dtype };
	/**
	 * Vector-Jacobian product: from the gradient of the loss by this node to its gradients by each input, as expressions.
	 * `undefined` where nothing flows (indices, a step function). An operation without a rule cannot be differentiated.
	 */
	vjp?(node: Tensor, gradient: Tensor, attrs: A): readonly (Tensor | undefined)[];
}

const table = new Map<string, Definition>();

/** Adds an operation to the table; returns the function that builds its nodes. */
export function define<A extends Attributes>(
	op: string,
	definition: Definition<A>,
): (inputs: readonly Tensor[], attrs: A) => Tensor {
	table.set(op, definition as unknown as Definition);
	return (inputs, attrs) => build(op, inputs, attrs);
}

export function definition(op: string): Definition | undefined {
	return table.get(op);
}

/** Builds a node of a known operation, checking attributes, number of inputs, and shapes. */
export function build(op: string, inputs: readonly Tensor[], attrs: Attributes): Tensor {
	const known = table.get(op);
	if (!known) fail(op, "no such operation");
	if (known.arity === undefined ? inputs.length === 0 : inputs.length !== known.arity) {
		fail(op, `takes ${known.arity ?? "at least one"} input(s), was given ${inputs.length}`);
	}
	checkAttributes(op, known, attrs);
	const { shape, dtype = "f32" } = known.infer(inputs, attrs);
	checkShape(op, shape);
	return new Tensor(op, inputs, attrs, shape, dtype);
}

const WANTED: Readonly<Record<AttributeType, string>> = {
	number: "a finite number",
	integer: "an integer",
	integers: "a list of integers",
	boolean: "a boolean",
};

function checkAttributes(op: string, known: Definition, attrs: Attributes): void {
	for (const [name, type] of Object.entries(known.attrs)) {
		const value = attrs[name];
		const fits =
			type === "boolean"
				? typeof value === "boolean"
				: type === "number"
					? typeof value === "number" && Number.isFinite(value)
					: type === "integer"
						? Number.isSafeInteger(value)
						: Array.isArray(value) && value.every(Number.isSafeInteger);
		if (!fits) fail(op, `${name} must be ${WANTED[type]}, not ${describe(value)}`);
	}
	for (const name of Object.keys(attrs)) if (!(name in known.attrs)) fail(op, `has no attribute ${name}`);
}

/** Every shape in a program passes here once. */
export function checkShape(op: string, shape: Shape): void {
	if (!Array.isArray(shape)) fail(op, `a shape such as [2, 3] is wanted, not ${describe(shape)}`);
	if (shape.length > MAX_DIMENSIONS) fail(op, `${show(shape)} has more than ${MAX_DIMENSIONS} dimensions`);
	if (!shape.every((length) => Number.isSafeInteger(length) && length > 0)) {
		fail(op, `${show(shape)} is not a shape: every dimension must be a whole number above 0`);
	}
	if (sizeOf(shape) > MAX_ELEMENTS) {
		fail(op, `${show(shape)} has more than ${MAX_ELEMENTS} elements: it needs ${gigabytes(shape)}`);
	}
}

/** What a tensor of this shape takes in memory. */
export function gigabytes(shape: Shape): string {
	return `${((4 * sizeOf(shape)) / 1e9).toFixed(2)} GB`;
}

/** Dimension `dim` of a tensor of `rank` dimensions, counted from the front. */
export function axis(op: string, dim: number, shape: Shape): number {
	const from = dim < 0 ? dim + shape.length : dim;
	if (!Number.isInteger(from) || from < 0 || from >= shape.length) {
		fail(op, `there is no dimension ${describe(dim)} in ${show(shape)}`);
	}
	return from;
}

// train.ts runs without its types having been checked, so public functions look at what they are given.

export function requireTensor(op: string, ...inputs: readonly unknown[]): void {
	for (const x of inputs) if (!(x instanceof Tensor)) fail(op, `a tensor is wanted, not ${describe(x)}`);
}

export function requireF32(op: string, ...inputs: readonly Tensor[]): void {
	requireTensor(op, ...inputs);
	for (const x of inputs) {
		if (x.dtype !== "f32")
			fail(op, `needs numbers (f32), was given token ids or indices (${x.dtype}) ${show(x.shape)}`);
	}
}

/** Numbers must be finite in float32 too: a graph is stored as JSON, and infinity times 0 is NaN. */
export function requireOperand(op: string, ...operands: readonly unknown[]): void {
	for (const x of operands) {
		if (x instanceof Tensor) requireF32(op, x);
		else if (typeof x !== "number") fail(op, `a tensor or a number is wanted, not ${describe(x)}`);
		else if (!Number.isFinite(Math.fround(x))) fail(op, `a finite number is wanted, not ${x}`);
	}
}

/** Refuses options of other names: they would silently do nothing. */
export function requireOptions<O extends object>(
	op: string,
	options: O,
	...names: readonly (keyof O & string)[]
): void {
	if (typeof options !== "object" || options === null || options instanceof Tensor) {
		fail(op, `options { ${names.join(", ")} } are wanted, not ${describe(options)}`);
	}
	const unknown = Object.keys(options).find((name) => !names.includes(name as keyof O & string));
	if (unknown !== undefined) fail(op, `there is no option ${unknown}; there are ${names.join(", ")}`);
}

/** A value that is not what was wanted, for a message. */
export function describe(value: unknown): string {
	if (value instanceof Tensor) return `a tensor ${show(value.shape)}`;
	if (typeof value === "string") return JSON.stringify(value);
	const isSimple = (typeof value !== "object" && typeof value !== "function") || value === null;
	return isSimple ? String(value) : `a value of type ${value.constructor?.name ?? "Object"}`;
}

export function sameShape(a: Shape, b: Shape): boolean {
	return a.length === b.length && a.every((length, i) => length === b[i]);
}
