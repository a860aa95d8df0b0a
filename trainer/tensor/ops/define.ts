/**
 * What an operation is: the attributes it takes, the shape it gives, and its gradient rule. Each is defined once, in
 * this folder; table.ts lists them all.
 */
import type { Dependence } from "../dependence/domain.ts";
import { fail, show } from "../errors.ts";
import { type Attributes, type Dtype, type Shape, sizeOf, Tensor } from "../tensor.ts";

/** Largest tensor allowed, in elements: indices and byte sizes stay exact in ggml's 64-bit and JavaScript's numbers. */
const MAX_ELEMENTS = 2 ** 32;
const MAX_DIMENSIONS = 4;

/** The types an attribute may have, by the names definitions use for them. */
interface AttributeTypes {
	number: number;
	integer: number;
	integers: readonly number[];
	boolean: boolean;
}
type AttributeType = keyof AttributeTypes;
export type AttributeSpec = Readonly<Record<string, AttributeType>>;
/** The attributes of a node whose operation declares `Spec`. */
export type AttributesOf<Spec extends AttributeSpec> = { readonly [K in keyof Spec]: AttributeTypes[Spec[K]] };
/** The specification of an operation without attributes. */
export type NoAttributes = Readonly<Record<never, never>>;

export interface Definition<Spec extends AttributeSpec = AttributeSpec> {
	/** How many inputs; undefined when any number of at least one will do. */
	arity: number | undefined;
	attrs: Spec;
	/** The result's shape and dtype; calls `fail` when the inputs do not suit. */
	infer(inputs: readonly Tensor[], attrs: AttributesOf<Spec>): { shape: Shape; dtype?: Dtype };
	/**
	 * Which tokens each element of the result can depend on, from those of the inputs' elements: proves that a model does
	 * not look ahead (dependence/lookahead.ts). `onEverything` is right for any operation.
	 */
	dependence(inputs: readonly Dependence[], attrs: AttributesOf<Spec>, node: Tensor): Dependence;
	/**
	 * Vector-Jacobian product: from the gradient of the loss with respect to this node to its gradients with respect to
	 * each input, as expressions. `undefined` where nothing flows (indices, a step function). An operation without a rule
	 * cannot be differentiated.
	 */
	vjp?(node: Tensor, gradient: Tensor, attrs: AttributesOf<Spec>): readonly (Tensor | undefined)[];
}

/** A node of the operation named `Name`, with its attributes typed. */
export type NodeOf<Name extends string, Spec extends AttributeSpec> = Tensor & {
	readonly op: Name;
	readonly attrs: AttributesOf<Spec>;
};

/** A function that builds the nodes of one operation. */
export interface Operation<Name extends string = string, Spec extends AttributeSpec = AttributeSpec> {
	(inputs: readonly Tensor[], attrs: AttributesOf<Spec>): Tensor;
	readonly op: Name;
	readonly definition: Definition<Spec>;
	/** Whether a tensor is a node of this operation. */
	is(tensor: Tensor): tensor is NodeOf<Name, Spec>;
}

/** An operation from its definition. It must be listed in table.ts. */
export function define<const Name extends string, const Spec extends AttributeSpec>(
	op: Name,
	definition: Definition<Spec>,
): Operation<Name, Spec> {
	return Object.assign(
		(inputs: readonly Tensor[], attrs: AttributesOf<Spec>) => buildNode(op, definition, inputs, attrs),
		{ op, definition, is: (tensor: Tensor): tensor is NodeOf<Name, Spec> => tensor.op === op },
	);
}

/** Builds a node, checking attributes, number of inputs, and shapes. */
export function buildNode(op: string, known: Definition, inputs: readonly Tensor[], attrs: Attributes): Tensor {
	if (known.arity === undefined ? inputs.length === 0 : inputs.length !== known.arity) {
		fail(op, `takes ${known.arity ?? "at least one"} input(s), was given ${inputs.length}`);
	}
	checkAttributes(op, known, attrs);
	const { shape, dtype = "f32" } = known.infer(inputs, attrs as AttributesOf<AttributeSpec>);
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

/** Checks a shape; every shape in an expression is checked once. */
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

// train.ts runs without its types having been checked, so public functions check their arguments.

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
