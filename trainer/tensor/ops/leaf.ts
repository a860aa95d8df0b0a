/** Leaves of an expression: what is fed every step, what stays fixed. (What is trained: ../parameter.ts.) */
import { between, exactly, NOTHING } from "../dependence/domain.ts";
import { uniform } from "../dependence/grid.ts";
import { fail, show } from "../errors.ts";
import { type Dtype, type Shape, sizeOf, Tensor, type Values } from "../tensor.ts";
import { checkShape, define, describe } from "./define.ts";

/**
 * A tensor of `shape` that is fed by name every time a compiled graph runs: `input("tokens", [B, T], "i32")`.
 * @throws TensorError when the shape or the dtype is none.
 */
export function input(name: string, shape: Shape, dtype: Dtype = "f32"): Tensor {
	checkShape(`input ${name}`, shape);
	if (dtype !== "f32" && dtype !== "i32") fail(`input ${name}`, `the dtype is "f32" or "i32", not ${describe(dtype)}`);
	return new Tensor("input", [], { name }, [...shape], dtype);
}

/**
 * A number, as a tensor of shape [], that is fed by name every time: a learning rate, a momentum. A schedule then
 * needs no recompilation.
 */
export function scalar(name: string): Tensor {
	return input(name, []);
}

/**
 * A fixed tensor with the given elements, row-major, of `shape` or else [count]. An `Int32Array` makes token ids.
 * @throws TensorError when the elements do not fill the shape.
 */
export function tensor(values: Values | readonly number[], shape?: Shape): Tensor {
	const isFlat = ArrayBuffer.isView(values) || (Array.isArray(values) && values.every((n) => typeof n === "number"));
	if (!isFlat) fail("tensor", "one flat list of numbers is wanted, and then its shape");
	const data = values instanceof Int32Array || values instanceof Float32Array ? values : Float32Array.from(values);
	const dims = [...(shape ?? [data.length])];
	checkShape("tensor", dims);
	if (sizeOf(dims) !== data.length) fail("tensor", `${data.length} elements do not fill ${show(dims)}`);
	return new Tensor("constant", [], {}, dims, data instanceof Int32Array ? "i32" : "f32", data);
}

export const fullOp = define("full", {
	arity: 0,
	attrs: { shape: "integers", value: "number" },
	infer: (_, { shape }) => ({ shape }),
	dependence: (_, { shape, value }) => between(uniform(shape.length, NOTHING), exactly(Math.fround(value))),
});

/**
 * A fixed tensor of `shape` whose elements are all `value`. A learned parameter may start from it.
 * @throws TensorError when the shape is none or the value is not finite.
 */
export function full(shape: Shape, value: number): Tensor {
	checkShape("full", shape);
	return fullOp([], { shape: [...shape], value });
}

/**
 * A fixed tensor of `shape` whose elements are all 0.
 * @throws TensorError when the shape is none.
 */
export function zeros(shape: Shape): Tensor {
	checkShape("zeros", shape);
	return full(shape, 0);
}

/**
 * A fixed tensor of `shape` whose elements are all 1.
 * @throws TensorError when the shape is none.
 */
export function ones(shape: Shape): Tensor {
	checkShape("ones", shape);
	return full(shape, 1);
}

/** The value of a tensor made by `full`, else undefined. Lets `x * 1` be simplified to `x`. */
export function uniformValue(x: Tensor): number | undefined {
	return fullOp.is(x) ? x.attrs.value : undefined;
}
