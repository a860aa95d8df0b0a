/**
 * A tensor here is a node of an expression, not a buffer: an operation, its inputs, its attributes, and the shape and
 * dtype that follow from them. Building one computes nothing. `grad` (grad.ts) turns expressions into expressions;
 * `compile` (compile.ts) turns them into one static ggml graph that is then run every step.
 *
 * Shapes are PyTorch's: row-major, the last dimension is contiguous, at most four dimensions. `[]` is a scalar.
 */
export type Dtype = "f32" | "i32";
export type Shape = readonly number[];
export type Attribute = number | boolean | string | readonly number[];
export type Attributes = Readonly<Record<string, Attribute>>;
/** A tensor, or a number, which broadcasts. */
export type Operand = Tensor | number;

/** What a constant holds, row-major. */
export type Values = Float32Array | Int32Array;

/** Tensors are numbered as they are made, so inputs always come before their users. */
let made = 0;
let record: ((tensor: Tensor) => void) | undefined;

/** What `make` returns; `onMade` is told of every tensor made on the way. */
export function recorded<Result>(onMade: (tensor: Tensor) => void, make: () => Result): Result {
	record = onMade;
	try {
		return make();
	} finally {
		record = undefined;
	}
}

export class Tensor {
	readonly id: number = made++;
	readonly op: string;
	readonly inputs: readonly Tensor[];
	readonly attrs: Attributes;
	readonly shape: Shape;
	readonly dtype: Dtype;
	/** The elements of a constant; undefined for other tensors. */
	readonly values: Values | undefined;

	/** For the library; train.ts makes tensors with the functions of index.ts. */
	constructor(op: string, inputs: readonly Tensor[], attrs: Attributes, shape: Shape, dtype: Dtype, values?: Values) {
		this.op = op;
		this.inputs = inputs;
		this.attrs = attrs;
		this.shape = shape;
		this.dtype = dtype;
		this.values = values;
		record?.(this);
	}

	/** Number of elements. */
	get size(): number {
		return sizeOf(this.shape);
	}

	/** Length of dimension `dim`; negative counts from the end. */
	dim(dim: number): number {
		return this.shape.at(dim) as number;
	}

	// Operations build tensors, so this file cannot import them: methods.ts installs what is declared here.

	declare readonly add: (other: Operand) => Tensor;
	declare readonly sub: (other: Operand) => Tensor;
	declare readonly mul: (other: Operand) => Tensor;
	declare readonly div: (other: Operand) => Tensor;
	declare readonly neg: () => Tensor;
	declare readonly square: () => Tensor;
	declare readonly sqrt: () => Tensor;
	declare readonly rsqrt: () => Tensor;
	declare readonly exp: () => Tensor;
	declare readonly log: () => Tensor;
	/** Sum over `dim` (a dimension, several, or all when left out). */
	declare readonly sum: (dim?: number | readonly number[], options?: { keepdim?: boolean }) => Tensor;
	/** Mean over `dim` (a dimension, several, or all when left out). */
	declare readonly mean: (dim?: number | readonly number[], options?: { keepdim?: boolean }) => Tensor;
	/** The same elements in another shape, a list or several numbers; one length may be -1. */
	declare readonly reshape: (...shape: [Shape] | number[]) => Tensor;
	/** Swaps two dimensions. */
	declare readonly transpose: (a: number, b: number) => Tensor;
	/** Reorders dimensions, a list or several numbers. */
	declare readonly permute: (...dims: [readonly number[]] | number[]) => Tensor;
	/** Elements `start` to `end` (exclusive) along `dim`; negative counts from the end. */
	declare readonly slice: (dim: number, start: number, end?: number) => Tensor;
}

export function sizeOf(shape: Shape): number {
	return shape.reduce((product, length) => product * length, 1);
}
