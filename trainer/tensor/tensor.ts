/**
 * A tensor here is a node of an expression, not a buffer: an operation, its inputs, its attributes, and the shape and
 * dtype that follow from them. Building one computes nothing. `grad` (grad.ts) turns expressions into expressions;
 * `compile` (compile.ts) turns them into one static ggml graph that is then run every step.
 *
 * Shapes are PyTorch's: row-major, the last dimension is contiguous, at most four dimensions. `[]` is a scalar.
 */
import * as elementwise from "./ops/elementwise.ts";
import * as reduce from "./ops/reduce.ts";
import * as shaping from "./ops/shape.ts";

export type Dtype = "f32" | "i32";
export type Shape = readonly number[];
export type Attribute = number | boolean | string | readonly number[];
export type Attributes = Readonly<Record<string, Attribute>>;
/** Where a tensor may stand, a number may too: it broadcasts. */
export type Operand = Tensor | number;

/** What a constant holds, row-major. */
export type Values = Float32Array | Int32Array;

/** Tensors are numbered as they are made, so inputs always come before their users. */
let made = 0;

export class Tensor {
	readonly id: number = made++;
	readonly op: string;
	readonly inputs: readonly Tensor[];
	readonly attrs: Attributes;
	readonly shape: Shape;
	readonly dtype: Dtype;
	/** Of constants only. */
	readonly values: Values | undefined;

	/** For the library; train.ts makes tensors with the functions of index.ts. */
	constructor(op: string, inputs: readonly Tensor[], attrs: Attributes, shape: Shape, dtype: Dtype, values?: Values) {
		this.op = op;
		this.inputs = inputs;
		this.attrs = attrs;
		this.shape = shape;
		this.dtype = dtype;
		this.values = values;
	}

	/** Number of elements. */
	get size(): number {
		return sizeOf(this.shape);
	}

	/** Length of dimension `dim`; negative counts from the end. */
	dim(dim: number): number {
		return this.shape.at(dim) as number;
	}

	add(other: Operand): Tensor {
		return elementwise.add(this, other);
	}
	sub(other: Operand): Tensor {
		return elementwise.sub(this, other);
	}
	mul(other: Operand): Tensor {
		return elementwise.mul(this, other);
	}
	div(other: Operand): Tensor {
		return elementwise.div(this, other);
	}
	neg(): Tensor {
		return elementwise.neg(this);
	}
	square(): Tensor {
		return elementwise.square(this);
	}
	sqrt(): Tensor {
		return elementwise.sqrt(this);
	}
	rsqrt(): Tensor {
		return elementwise.rsqrt(this);
	}
	exp(): Tensor {
		return elementwise.exp(this);
	}
	log(): Tensor {
		return elementwise.log(this);
	}
	/** Sum over `dim` (a dimension, several, or all when left out). */
	sum(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor {
		return reduce.sum(this, dim, options);
	}
	/** Mean over `dim` (a dimension, several, or all when left out). */
	mean(dim?: number | readonly number[], options?: { keepdim?: boolean }): Tensor {
		return reduce.mean(this, dim, options);
	}
	/** The same elements in another shape, a list or several numbers; one length may be -1. */
	reshape(...shape: [Shape] | number[]): Tensor {
		return shaping.reshape(this, list(shape));
	}
	/** Swaps two dimensions. */
	transpose(a: number, b: number): Tensor {
		return shaping.transpose(this, a, b);
	}
	/** Reorders dimensions, a list or several numbers. */
	permute(...dims: [readonly number[]] | number[]): Tensor {
		return shaping.permute(this, list(dims));
	}
	/** Elements `start` to `end` (exclusive) along `dim`; negative counts from the end. */
	slice(dim: number, start: number, end?: number): Tensor {
		return shaping.slice(this, dim, start, end);
	}
}

/** Numbers as a method was given them: in one list, or one by one as in PyTorch. */
function list(given: [readonly number[]] | number[]): readonly number[] {
	const [first] = given;
	return Array.isArray(first) ? first : (given as number[]);
}

export function sizeOf(shape: Shape): number {
	return shape.reduce((product, length) => product * length, 1);
}
