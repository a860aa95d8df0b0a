/** Matrix products. */
import type { Dependence } from "../dependence/domain.ts";
import { permute } from "../dependence/grid.ts";
import { moved, onProduct } from "../dependence/rules.ts";
import { fail, show } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastShapes, broadcastTo } from "./broadcast.ts";
import { define, requireF32, requireOptions, sameShape } from "./define.ts";
import { add } from "./elementwise.ts";
import { reshape } from "./shape.ts";

interface MatmulOptions {
	/** Read the left matrix as its transpose: [K, M] where [M, K] is meant. */
	transposeA?: boolean;
	/** Read the right matrix as its transpose: [N, K] where [K, N] is meant. */
	transposeB?: boolean;
	/** Round both sides to bf16 and sum in f32, here and in the gradients, where the device is faster at that. */
	bf16?: boolean;
}

export const matmulOp = define("matmul", {
	arity: 2,
	attrs: { transposeA: "boolean", transposeB: "boolean", bf16: "boolean" },
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
	dependence: ([a, b], { transposeA, transposeB }, { shape, inputs }) => {
		const swap = [...shape.keys()].slice(0, -2).concat(shape.length - 1, shape.length - 2);
		const turned = (x: Dependence, transposed: boolean) => (transposed ? moved(x, (grid) => permute(grid, swap)) : x);
		return onProduct(turned(a!, transposeA), turned(b!, transposeB), inputs[0]!.dim(transposeA ? -2 : -1));
	},
	vjp: (y, g, { transposeA: ta, transposeB: tb, bf16 }) => {
		const [a, b] = y.inputs as [Tensor, Tensor];
		const times = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor =>
			matmulOp([a, b], { transposeA, transposeB, bf16 });
		return [ta ? times(b, g, tb, true) : times(g, b, false, !tb), tb ? times(g, a, true, ta) : times(a, g, !ta, false)];
	},
});

/**
 * Matrix product [..., M, K] × [..., K, N] → [..., M, N]. Leading dimensions broadcast.
 * @throws TensorError when the inner lengths differ or the leading dimensions do not broadcast.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
	requireF32("matmul", a, b);
	requireOptions("matmul", options, "transposeA", "transposeB", "bf16");
	const attrs = { transposeA: false, transposeB: false, bf16: false, ...options };
	if (a.shape.length > 2 && b.shape.length === 2 && !attrs.transposeA) {
		const y = matmulOp([reshape(a, [-1, a.dim(-1)]), b], attrs);
		return reshape(y, [...a.shape.slice(0, -1), y.dim(-1)]);
	}
	if (a.shape.length < 2 || b.shape.length < 2) return matmulOp([a, b], attrs);
	const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
	const stack = (x: Tensor) => broadcastTo(x, [...batch, x.dim(-2), x.dim(-1)]);
	return matmulOp([stack(a), stack(b)], attrs);
}

interface LinearOptions {
	/** [out], added to each row. */
	bias?: Tensor;
	/** As in `matmul`. */
	bf16?: boolean;
}

/**
 * `x Wᵀ + bias` with x [..., in] and weight [out, in] as in PyTorch → [..., out].
 * @throws TensorError when the shapes do not fit.
 */
export function linear(x: Tensor, weight: Tensor, options: LinearOptions = {}): Tensor {
	requireF32("linear", x, weight);
	requireOptions("linear", options, "bias", "bf16");
	const { bias, bf16 = false } = options;
	if (weight.shape.length !== 2 || x.dim(-1) !== weight.dim(1)) {
		fail("linear", `x ${show(x.shape)} does not fit weight ${show(weight.shape)}: [..., in] and [out, in] are wanted`);
	}
	const rows = reshape(x, [-1, x.dim(-1)]);
	const product = matmulOp([rows, weight], { transposeA: false, transposeB: true, bf16 });
	const y = reshape(product, [...x.shape.slice(0, -1), weight.dim(0)]);
	if (!bias) return y;
	requireF32("linear", bias);
	return add(y, bias);
}
