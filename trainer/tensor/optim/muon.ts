/**
 * Muon (Jordan et al. 2024): momentum whose direction is made orthogonal. For the matrices inside a network, not for
 * embeddings, heads or vectors.
 */
import { fail, show } from "../errors.ts";
import { requireOperand, requireOptions } from "../ops/define.ts";
import { add, div, mul, rsqrt, sqrt, square, sub } from "../ops/elementwise.ts";
import { zeros } from "../ops/leaf.ts";
import { matmul } from "../ops/matmul.ts";
import { mean, sum } from "../ops/reduce.ts";
import { concat, reshape, slice, transpose } from "../ops/shape.ts";
import { buffer, type Parameter } from "../parameter.ts";
import type { Update } from "../plan.ts";
import { assign } from "../schedule.ts";
import type { Operand, Tensor } from "../tensor.ts";
import { decay, requireWeights } from "./adamw.ts";

export interface MuonOptions {
	/** Learning rate: a number, or a scalar input that a schedule feeds. */
	lr: Operand;
	/** Default 0.95. */
	momentum?: Operand;
	/** Decoupled: each step shrinks weights by lr · weightDecay. Default 0. */
	weightDecay?: Operand;
	/** Newton-Schulz iterations. Default 5. */
	iterations?: number;
	/**
	 * Decay of the second moment that evens out the size of the update's rows, or columns of a wide matrix (NorMuon, Li
	 * et al. 2025); 0, the default, leaves the update as it is.
	 */
	beta2?: Operand;
	/** Orthogonalise with matrix products in bf16, as Muon's authors do. */
	bf16?: boolean;
}

/**
 * The updates of one Muon step (Jordan et al. 2024) on matrices [out, in]; `gradients[i]` belongs to `parameters[i]`
 * and has its shape.
 * @throws TensorError when they do not match or a parameter is no matrix.
 */
export function muon(parameters: readonly Parameter[], gradients: readonly Tensor[], options: MuonOptions): Update[] {
	requireWeights("muon", parameters, gradients);
	requireOptions("muon", options, "lr", "momentum", "weightDecay", "iterations", "beta2", "bf16");
	const { lr, momentum = 0.95, weightDecay = 0, iterations = 5, beta2 = 0, bf16 = false } = options;
	if (lr === undefined) fail("muon", "a learning rate lr is wanted");
	requireOperand("muon", lr, momentum, weightDecay, beta2);
	const other = parameters.find(({ shape }) => shape.length !== 2);
	if (other) fail("muon", `${other.name} is ${show(other.shape)}: matrices are wanted, adamw takes the others`);
	// Matrices of one shape are worked on as one stack: a few large products instead of many small ones.
	const stacks = Map.groupBy(parameters.keys(), (i) => parameters[i]!.shape.join(" × "));
	return [...stacks.values()].flatMap((members) => {
		const [out, width] = parameters[members[0]!]!.shape as [number, number];
		const stack = [members.length, out, width];
		const name = parameters[members[0]!]!.name;
		const gradient = concat(
			members.map((i) => reshape(gradients[i]!, [1, out, width])),
			0,
		);
		const momentumBuffer = buffer(`muon.momentum.${name}`, zeros(stack));
		const newBuffer = add(mul(momentumBuffer, momentum), gradient);
		const updates = [assign(momentumBuffer, newBuffer)];
		let direction = orthogonalise(add(mul(newBuffer, momentum), gradient), iterations, bf16);
		if (beta2 !== 0) {
			const evenOver = out >= width ? 2 : 1;
			const second = buffer(`muon.second.${name}`, zeros(stack.with(evenOver, 1)));
			const evened = evenOut(direction, evenOver, second, beta2);
			direction = evened.direction;
			updates.push(assign(second, evened.second));
		}
		const scaled = mul(direction, Math.sqrt(Math.max(1, out / width)));
		const steps = members.map((i, n) => {
			const parameter = parameters[i]!;
			const step = mul(reshape(slice(scaled, 0, n, n + 1), [out, width]), lr);
			return assign(parameter, sub(decay(parameter, lr, weightDecay), step));
		});
		return [...updates, ...steps];
	});
}

/** Divides by the root of the running mean square over `dim`, and keeps the norm of each whole matrix. */
function evenOut(direction: Tensor, dim: number, second: Tensor, beta2: Operand) {
	const power = mean(square(direction), dim, { keepdim: true }); // [n, out, 1] or [n, 1, in]
	const newSecond = add(second, mul(sub(power, second), sub(1, beta2)));
	const scale = rsqrt(add(newSecond, 1e-10));
	const before = sum(power, [1, 2], { keepdim: true });
	const after = sum(mul(power, square(scale)), [1, 2], { keepdim: true });
	const keepNorm = sqrt(div(before, add(after, 1e-10)));
	return { direction: mul(direction, mul(scale, keepNorm)), second: newSecond };
}

/**
 * Polar Express (Amsel et al. 2025): the best quintic for each iteration, so that five of them bring singular values
 * close to 1 where Newton-Schulz leaves them between 0.7 and 1.2. Later iterations repeat the last.
 */
const QUINTICS = [
	[8.156554524902461, -22.48329292557795, 15.878769915207462],
	[4.042929935166739, -2.808917465908714, 0.5000178451051316],
	[3.8916678022926607, -2.772484153217685, 0.5060648178503393],
	[3.285753657755655, -2.3681294933425376, 0.46449024233003106],
	[2.3465413258596377, -1.7097828382687081, 0.42323551169305323],
] as const;

/** Replaces the singular values of each matrix of a stack [n, out, in] by values near 1. */
export function orthogonalise(stack: Tensor, iterations: number, bf16 = false): Tensor {
	const tall = stack.dim(1) > stack.dim(2);
	let x = tall ? transpose(stack, 1, 2) : stack;
	const norm = sqrt(sum(square(x), [1, 2], { keepdim: true }));
	x = div(x, add(mul(norm, 1.02), 1e-6));
	for (let i = 0; i < iterations; i++) {
		const [a, b, c] = QUINTICS[Math.min(i, QUINTICS.length - 1)]!;
		const gram = matmul(x, x, { transposeB: true, bf16 });
		const polynomial = add(mul(gram, b), mul(matmul(gram, gram, { bf16 }), c));
		x = add(mul(x, a), matmul(polynomial, x, { bf16 }));
	}
	return tall ? transpose(x, 1, 2) : x;
}
