/** Matrix products. */
import { fail, show } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { define, requireF32, sameShape } from "./define.ts";
import { add, broadcast } from "./elementwise.ts";
import { broadcastTo } from "./reduce.ts";
import { reshape } from "./shape.ts";

interface Transposes {
	/** Read the left matrix as its transpose: [K, M] where [M, K] is meant. */
	transposeA?: boolean;
	/** Read the right matrix as its transpose: [N, K] where [K, N] is meant. */
	transposeB?: boolean;
}

const matmulOp = define<{ transposeA: boolean; transposeB: boolean }>("matmul", {
	arity: 2,
	attrs: { transposeA: "boolean", transposeB: "boolean" },
	infer: ([a, b], { transposeA, transposeB }) => {
		requireF32("matmul", a!, b!);
		const [rank, batch] = [a!.shape.length, a!.shape.slice(0, -2)];
		if (rank < 2 || b!.shape.length !== rank || !sameShape(batch, b!.shape.slice(0, -2))) {
			fail("matmul", `${show(a!.shape)} and ${show(b!.shape)} are not two matrices or two equal stacks of matrices`);
		}
		const [m, k] = transposeA ? [a!.dim(-1), a!.dim(-2)] : [a!.dim(-2), a!.dim(-1)];
		const [l, n] = transposeB ? [b!.dim(-1), b!.dim(-2)] : [b!.dim(-2), b!.dim(-1)];
		if (k !== l) {
			const side = (x: Tensor, transposed: boolean) => `${show(x.shape)}${transposed ? " transposed" : ""}`;
			fail("matmul", `${side(a!, transposeA)} times ${side(b!, transposeB)}: the inner lengths ${k} and ${l} differ`);
		}
		return { shape: [...batch, m, n] };
	},
	vjp: (y, g, { transposeA: ta, transposeB: tb }) => {
		const [a, b] = y.inputs as [Tensor, Tensor];
		return [
			ta ? multiply(b, g, tb, true) : multiply(g, b, false, !tb),
			tb ? multiply(g, a, true, ta) : multiply(a, g, !ta, false),
		];
	},
});

function multiply(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
	return matmulOp([a, b], { transposeA, transposeB });
}

/** Matrix product [..., M, K] × [..., K, N] → [..., M, N]. Leading dimensions broadcast. */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: Transposes = {}): Tensor {
	if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
		const rows = reshape(a, [-1, a.dim(-1)]);
		const y = multiply(rows, b, false, transposeB);
		return reshape(y, [...a.shape.slice(0, -1), y.dim(-1)]);
	}
	if (a.shape.length < 2 || b.shape.length < 2) return multiply(a, b, transposeA, transposeB);
	const batch = broadcast("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
	const stack = (x: Tensor) => broadcastTo(x, [...batch, x.dim(-2), x.dim(-1)]);
	return multiply(stack(a), stack(b), transposeA, transposeB);
}

/** `x Wᵀ + b` with x [..., in], weight [out, in] as in PyTorch, bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
	if (weight.shape.length !== 2 || x.dim(-1) !== weight.dim(1)) {
		fail("linear", `x ${show(x.shape)} does not fit weight ${show(weight.shape)}: [..., in] and [out, in] are wanted`);
	}
	const rows = reshape(x, [-1, x.dim(-1)]);
	const y = reshape(multiply(rows, weight, false, true), [...x.shape.slice(0, -1), weight.dim(0)]);
	return bias ? add(y, bias) : y;
}
