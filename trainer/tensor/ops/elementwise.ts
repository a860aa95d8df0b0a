/** Operations on each element, with PyTorch's broadcasting. */
import { type Interval, joinDifference } from "../dependence/domain.ts";
import * as rules from "../dependence/rules.ts";
import { fail } from "../errors.ts";
import type { Operand, Tensor } from "../tensor.ts";
import { broadcastShapes, sumTo } from "./broadcast.ts";
import {
	type Definition,
	define,
	type NoAttributes,
	type Operation,
	requireF32,
	requireOperand,
	sameShape,
} from "./define.ts";
import { full, uniformValue } from "./leaf.ts";

type BinaryRule = (a: Tensor, b: Tensor, g: Tensor, y: Tensor) => [Tensor, Tensor];

function binary<const Name extends string>(
	op: Name,
	dependence: Definition<NoAttributes>["dependence"],
	rule: BinaryRule,
): Operation<Name, NoAttributes> {
	return define(op, {
		arity: 2,
		attrs: {},
		infer: ([a, b]) => {
			requireF32(op, a!, b!);
			return { shape: broadcastShapes(op, a!.shape, b!.shape) };
		},
		dependence,
		vjp: (y, g) => {
			const [a, b] = y.inputs as [Tensor, Tensor];
			const [da, db] = rule(a, b, g, y);
			return [sumTo(da, a.shape), sumTo(db, b.shape)];
		},
	});
}

export const addOp = binary("add", rules.onPair(rules.added), (_a, _b, g) => [g, g]);
export const subOp = binary("sub", rules.onPair(rules.subtracted, joinDifference), (_a, _b, g) => [g, neg(g)]);
export const mulOp = binary("mul", rules.onPair(rules.multiplied), (a, b, g) => [mul(g, b), mul(g, a)]);
export const divOp = binary("div", rules.onPair(rules.divided), (_a, b, g, y) => [div(g, b), neg(div(mul(g, y), b))]);

export const affineOp = define("affine", {
	arity: 1,
	attrs: { scale: "number", bias: "number" },
	infer: ([x]) => {
		requireF32("affine", x!);
		return { shape: x!.shape };
	},
	// What is multiplied by a negative number may cancel with itself.
	dependence: rules.onElement(rules.scaled, ({ scale }) => scale < 0),
	vjp: (_, g, { scale }) => [affine(g, scale, 0)],
});

/** `scale * x + bias` with plain numbers. */
export function affine(x: Tensor, scale: number, bias: number): Tensor {
	if (scale === 1 && bias === 0) return x;
	const value = uniformValue(x);
	if (value !== undefined) return full(x.shape, scale * value + bias);
	return affineOp([x], { scale, bias });
}

function asTensor(op: string, x: Operand): Tensor {
	requireOperand(op, x);
	return typeof x === "number" ? full([], x) : x;
}

/**
 * A binary operation on tensors or numbers. Where one side is a number it becomes `affine`, by what `right` and `left`
 * say of a number on that side: `[scale, bias]`.
 */
function arithmetic(
	name: string,
	op: Operation<string, NoAttributes>,
	right: (n: number) => [number, number],
	left?: (n: number) => [number, number],
): (a: Operand, b: Operand) => Tensor {
	return (a, b) => {
		const [x, y] = [asTensor(name, a), asTensor(name, b)];
		const shape = broadcastShapes(name, x.shape, y.shape);
		const onTheRight = sameShape(shape, x.shape) ? uniformValue(y) : undefined;
		if (onTheRight !== undefined) return affine(x, ...right(onTheRight));
		const onTheLeft = left && sameShape(shape, y.shape) ? uniformValue(x) : undefined;
		return onTheLeft === undefined ? op([x, y], {}) : affine(y, ...left!(onTheLeft));
	};
}

/**
 * `a + b`. Shapes broadcast as in PyTorch: [B, T, D] and [D] give [B, T, D].
 * @throws TensorError when the shapes do not broadcast, or an operand is of token ids or a number that is not finite.
 */
export const add = arithmetic(
	"add",
	addOp,
	(n) => [1, n],
	(n) => [1, n],
);
/**
 * `a - b`, broadcast like `add`.
 * @throws TensorError when the shapes do not broadcast, or an operand is of token ids or a number that is not finite.
 */
export const sub = arithmetic(
	"sub",
	subOp,
	(n) => [1, -n],
	(n) => [-1, n],
);
/**
 * `a * b`, element by element, broadcast like `add`.
 * @throws TensorError when the shapes do not broadcast, or an operand is of token ids or a number that is not finite.
 */
export const mul = arithmetic(
	"mul",
	mulOp,
	(n) => [n, 0],
	(n) => [n, 0],
);
/**
 * `a / b`, element by element, broadcast like `add`. Where `b` is 0 it gives ±infinity, or NaN for 0 / 0.
 * @throws TensorError when `add` would, and when `b` is the number 0.
 */
export const div = arithmetic("div", divOp, (n) => {
	if (!Number.isFinite(Math.fround(1 / n))) fail("div", `cannot divide by the number ${n}`);
	return [1 / n, 0];
});

/**
 * `-x`, in the shape of `x`.
 * @throws TensorError when `x` holds token ids.
 */
export function neg(x: Tensor): Tensor {
	requireF32("neg", x);
	return affine(x, -1, 0);
}

type UnaryRule = (x: Tensor, g: Tensor, y: Tensor) => Tensor | undefined;

function unary<const Name extends string>(
	op: Name,
	range: (lo: number, hi: number) => Interval,
	rule: UnaryRule,
): Operation<Name, NoAttributes> {
	return define(op, {
		arity: 1,
		attrs: {},
		infer: ([x]) => {
			requireF32(op, x!);
			return { shape: x!.shape };
		},
		dependence: rules.onElement(range),
		vjp: (y, g) => [rule(y.inputs[0]!, g, y)],
	});
}

export const expOp = unary("exp", rules.exponential, (_, g, y) => mul(g, y));
export const logOp = unary("log", rules.logarithm, (x, g) => div(g, x));
export const sqrtOp = unary("sqrt", rules.squareRoot, (_, g, y) => div(mul(g, 0.5), y));
export const squareOp = unary("square", rules.squared, (x, g) => mul(mul(g, 2), x));
export const absOp = unary("abs", rules.absolute, (x, g) => mul(g, sign(x)));
export const sinOp = unary("sin", rules.within(-1.001, 1.001), (x, g) => mul(g, cos(x)));
export const cosOp = unary("cos", rules.within(-1.001, 1.001), (x, g) => neg(mul(g, sin(x))));
export const stepOp = unary("step", rules.heaviside, () => undefined);
export const reluOp = unary("relu", rules.rectified, (x, g) => mul(g, step(x)));
export const sigmoidOp = unary("sigmoid", rules.within(0, 1.001), (_, g, y) => mul(g, sub(y, square(y))));
export const tanhOp = unary("tanh", rules.within(-1.001, 1.001), (_, g, y) => mul(g, sub(1, square(y))));
export const siluOp = unary(
	"silu",
	(lo, hi) => rules.within(-0.3, 1e-3 + 1.001 * Math.max(0, hi))(lo, hi),
	(x, g, y) => {
		const s = sigmoid(x);
		return mul(g, add(y, mul(s, sub(1, y))));
	},
);

/**
 * `e^x`, in the shape of `x`. Infinity above 88.7.
 * @throws TensorError when `x` holds token ids.
 */
export function exp(x: Tensor): Tensor {
	return expOp([x], {});
}

/**
 * Natural logarithm, in the shape of `x`. -infinity at 0, NaN below.
 * @throws TensorError when `x` holds token ids.
 */
export function log(x: Tensor): Tensor {
	return logOp([x], {});
}

/**
 * Square root, in the shape of `x`. NaN below 0; the gradient at 0 is infinite: add an epsilon first.
 * @throws TensorError when `x` holds token ids.
 */
export function sqrt(x: Tensor): Tensor {
	return sqrtOp([x], {});
}

/**
 * `x * x`, in the shape of `x`.
 * @throws TensorError when `x` holds token ids.
 */
export function square(x: Tensor): Tensor {
	return squareOp([x], {});
}

/**
 * Absolute value, in the shape of `x`. The gradient at 0 is 0.
 * @throws TensorError when `x` holds token ids.
 */
export function abs(x: Tensor): Tensor {
	return absOp([x], {});
}

/**
 * Sine of `x` in radians, in the shape of `x`.
 * @throws TensorError when `x` holds token ids.
 */
export function sin(x: Tensor): Tensor {
	return sinOp([x], {});
}

/**
 * Cosine of `x` in radians, in the shape of `x`.
 * @throws TensorError when `x` holds token ids.
 */
export function cos(x: Tensor): Tensor {
	return cosOp([x], {});
}

/**
 * 1 where `x > 0`, else 0, in the shape of `x` (torch.heaviside with 0 at 0). Its gradient is 0 everywhere.
 * @throws TensorError when `x` holds token ids.
 */
export function step(x: Tensor): Tensor {
	return stepOp([x], {});
}

/**
 * `max(x, 0)`, in the shape of `x`. The gradient at 0 is 0.
 * @throws TensorError when `x` holds token ids.
 */
export function relu(x: Tensor): Tensor {
	return reluOp([x], {});
}

/**
 * `1 / (1 + exp(-x))`, in the shape of `x`.
 * @throws TensorError when `x` holds token ids.
 */
export function sigmoid(x: Tensor): Tensor {
	return sigmoidOp([x], {});
}

/**
 * Hyperbolic tangent, in the shape of `x`.
 * @throws TensorError when `x` holds token ids.
 */
export function tanh(x: Tensor): Tensor {
	return tanhOp([x], {});
}

/**
 * `x * sigmoid(x)`, in the shape of `x`; also called swish (Elfwing et al. 2017).
 * @throws TensorError when `x` holds token ids.
 */
export function silu(x: Tensor): Tensor {
	return siluOp([x], {});
}

export const softcapOp = define("softcap", {
	arity: 1,
	attrs: { cap: "number" },
	infer: ([x], { cap }) => {
		requireF32("softcap", x!);
		if (cap <= 0) fail("softcap", `the cap must be above 0, not ${cap}`);
		return { shape: x!.shape };
	},
	dependence: rules.onElement((lo, hi, { cap }) => rules.within(-1.001 * cap, 1.001 * cap)(lo, hi)),
	vjp: (y, g, { cap }) => [mul(g, affine(square(y), -1 / cap ** 2, 1))],
});

/**
 * `cap * tanh(x / cap)`, in the shape of `x`: keeps logits within ±cap (Gemma 2). A cap of 0 leaves `x` as it is.
 * @throws TensorError when the cap is negative or `x` holds token ids.
 */
export function softcap(x: Tensor, cap: number): Tensor {
	requireF32("softcap", x);
	return cap === 0 ? x : softcapOp([x], { cap });
}

/**
 * `1 / sqrt(x)`, in the shape of `x`. Infinity at 0, NaN below.
 * @throws TensorError when `x` holds token ids.
 */
export function rsqrt(x: Tensor): Tensor {
	requireF32("rsqrt", x);
	return div(1, sqrt(x));
}

/**
 * -1, 0 or 1, in the shape of `x`. Its gradient is 0 everywhere.
 * @throws TensorError when `x` holds token ids.
 */
export function sign(x: Tensor): Tensor {
	requireF32("sign", x);
	return sub(step(x), step(neg(x)));
}

/**
 * Gaussian error linear unit in its tanh form, in the shape of `x`: `x/2 * (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))`
 * (Hendrycks & Gimpel 2016).
 * @throws TensorError when `x` holds token ids.
 */
export function gelu(x: Tensor): Tensor {
	requireF32("gelu", x);
	const inner = mul(x, affine(square(x), 0.044715, 1));
	return mul(x, sigmoid(mul(inner, 2 * Math.sqrt(2 / Math.PI))));
}

/**
 * `x` to the power of a number, in the shape of `x`. For exponents other than 0.5, 1, 2, 3 and -1 it is NaN where `x
 * < 0`, and its gradient is NaN where `x` is 0.
 * @throws TensorError when `x` holds token ids or the exponent is no finite number.
 */
export function pow(x: Tensor, exponent: number): Tensor {
	requireF32("pow", x);
	requireOperand("pow", exponent);
	switch (exponent) {
		case 0.5:
			return sqrt(x);
		case 1:
			return x;
		case 2:
			return square(x);
		case 3:
			return mul(square(x), x);
		case -1:
			return div(1, x);
		default:
			return exp(mul(log(x), exponent));
	}
}

/**
 * The larger of the two, element by element, broadcast like `add`. Where they are equal, the gradient goes to `a`. An
 * infinity in either gives NaN.
 * @throws TensorError when the shapes do not broadcast, or an operand is of token ids or a number that is not finite.
 */
export function maximum(a: Operand, b: Operand): Tensor {
	requireOperand("maximum", a, b);
	return where(step(sub(b, a)), b, a);
}

/**
 * The smaller of the two, element by element, broadcast like `add`. Where they are equal, the gradient goes to `a`.
 * An infinity in either gives NaN.
 * @throws TensorError when the shapes do not broadcast, or an operand is of token ids or a number that is not finite.
 */
export function minimum(a: Operand, b: Operand): Tensor {
	requireOperand("minimum", a, b);
	return where(step(sub(a, b)), b, a);
}

/**
 * `a` where `condition` is 1, `b` where it is 0 (make conditions with `step`); all three broadcast like `add`. Both
 * are computed and multiplied by 1 or 0, so an infinity or a NaN in either gives NaN: for a mask, take -1e9.
 * @throws TensorError when the shapes do not broadcast, or an operand is of token ids or a number that is not finite.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
	requireF32("where", condition);
	requireOperand("where", a, b);
	return add(mul(condition, a), mul(sub(1, condition), b));
}
