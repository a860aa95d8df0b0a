/** Muon (Jordan et al. 2024): momentum whose direction is made orthogonal. For the matrices inside a network. */
import { sqrt } from "../ops/elementwise.ts";
import { zeros } from "../ops/leaf.ts";
import { matmul } from "../ops/matmul.ts";
import { transpose } from "../ops/shape.ts";
import { type Parameter, state } from "../parameter.ts";
import { assign, type Update } from "../schedule.ts";
import type { Operand, Tensor } from "../tensor.ts";
import { decay } from "./adamw.ts";

export interface MuonOptions {
	/** Learning rate: a number, or a scalar input that a schedule feeds. */
	lr: Operand;
	momentum?: Operand;
	/** Decoupled: each step shrinks weights by lr · weightDecay. */
	weightDecay?: Operand;
	/** Newton-Schulz iterations. */
	iterations?: number;
}

/** The updates of one Muon step on matrices [out, in]; `gradients[i]` belongs to `parameters[i]`. */
export function muon(
	parameters: readonly Parameter[],
	gradients: readonly Tensor[],
	{ lr, momentum = 0.95, weightDecay = 0, iterations = 5 }: MuonOptions,
): Update[] {
	return parameters.flatMap((parameter, i) => {
		const gradient = gradients[i] as Tensor;
		const buffer = state(`muon.momentum.${parameter.name}`, zeros(parameter.shape));
		const newBuffer = buffer.mul(momentum).add(gradient);
		const nesterov = newBuffer.mul(momentum).add(gradient);
		const [out, width] = parameter.shape as [number, number];
		const direction = orthogonalise(nesterov, iterations).mul(Math.sqrt(Math.max(1, out / width)));
		const decayed = decay(parameter, lr, weightDecay);
		return [assign(buffer, newBuffer), assign(parameter, decayed.sub(direction.mul(lr)))];
	});
}

/** Coefficients of the quintic whose iteration drives singular values to around 1 (Jordan et al. 2024). */
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;

/** Newton-Schulz: replaces the singular values of a matrix by values near 1. */
export function orthogonalise(matrix: Tensor, iterations: number): Tensor {
	const tall = matrix.dim(0) > matrix.dim(1);
	let x = tall ? transpose(matrix, 0, 1) : matrix;
	x = x.div(sqrt(x.square().sum()).add(1e-7));
	for (let i = 0; i < iterations; i++) {
		const gram = matmul(x, x, { transposeB: true });
		const polynomial = gram.mul(B).add(matmul(gram, gram).mul(C));
		x = x.mul(A).add(matmul(polynomial, x));
	}
	return tall ? transpose(x, 0, 1) : x;
}
