/** AdamW (Loshchilov & Hutter 2019), written with the same primitives a researcher has. */
import { mul, sqrt, sub } from "../ops/elementwise.ts";
import { zeros } from "../ops/leaf.ts";
import { type Parameter, state } from "../parameter.ts";
import { assign, type Update } from "../schedule.ts";
import type { Operand, Tensor } from "../tensor.ts";

export interface AdamWOptions {
	/** Learning rate: a number, or a scalar input that a schedule feeds. */
	lr: Operand;
	beta1?: number;
	beta2?: number;
	eps?: number;
	/** Decoupled: each step shrinks weights by lr · weightDecay. */
	weightDecay?: Operand;
}

/** The updates of one AdamW step; `gradients[i]` belongs to `parameters[i]`. */
export function adamw(
	parameters: readonly Parameter[],
	gradients: readonly Tensor[],
	{ lr, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weightDecay = 0 }: AdamWOptions,
): Update[] {
	const [first] = parameters;
	if (!first) return [];
	const count = state(`adamw.step.${first.name}`, zeros([]));
	const steps = count.add(1);
	const correction1 = steps.mul(Math.log(beta1)).exp().neg().add(1);
	const correction2 = steps.mul(Math.log(beta2)).exp().neg().add(1);
	const updates = parameters.flatMap((parameter, i) => {
		const gradient = gradients[i] as Tensor;
		const mean = state(`adamw.mean.${parameter.name}`, zeros(parameter.shape));
		const variance = state(`adamw.variance.${parameter.name}`, zeros(parameter.shape));
		const newMean = mean.mul(beta1).add(gradient.mul(1 - beta1));
		const newVariance = variance.mul(beta2).add(gradient.square().mul(1 - beta2));
		const denominator = sqrt(newVariance.div(correction2)).add(eps);
		const direction = newMean.div(correction1).div(denominator);
		const decayed = decay(parameter, lr, weightDecay);
		return [assign(mean, newMean), assign(variance, newVariance), assign(parameter, decayed.sub(direction.mul(lr)))];
	});
	return [assign(count, steps), ...updates];
}

/** The parameter after decoupled weight decay: p · (1 - lr · weightDecay). */
export function decay(parameter: Parameter, lr: Operand, weightDecay: Operand): Tensor {
	if (weightDecay === 0) return parameter;
	return parameter.mul(sub(1, mul(lr, weightDecay)));
}
