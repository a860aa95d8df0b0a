/** AdamW (Loshchilov & Hutter 2019), written with the same primitives a researcher has. */
import { fail, show } from "../errors.ts";
import { describe, requireF32, requireOperand, requireOptions, sameShape } from "../ops/define.ts";
import { add, div, exp, mul, sqrt, square, sub } from "../ops/elementwise.ts";
import { zeros } from "../ops/leaf.ts";
import { buffer, Parameter } from "../parameter.ts";
import type { Update } from "../plan.ts";
import { assign } from "../schedule.ts";
import type { Operand, Tensor } from "../tensor.ts";

export interface AdamWOptions {
	/** Learning rate: a number, or a scalar input that a schedule feeds. */
	lr: Operand;
	/** Default 0.9. */
	beta1?: number;
	/** Default 0.95. */
	beta2?: number;
	/** Default 1e-8. */
	eps?: number;
	/** Decoupled: each step shrinks weights by lr · weightDecay. Default 0. */
	weightDecay?: Operand;
}

/**
 * The updates of one AdamW step (Loshchilov & Hutter 2019); `gradients[i]` belongs to `parameters[i]` and has its
 * shape.
 * @throws TensorError when they do not match or a beta is not from 0 to below 1.
 */
export function adamw(parameters: readonly Parameter[], gradients: readonly Tensor[], options: AdamWOptions): Update[] {
	requireWeights("adamw", parameters, gradients);
	requireOptions("adamw", options, "lr", "beta1", "beta2", "eps", "weightDecay");
	const { lr, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weightDecay = 0 } = options;
	if (lr === undefined) fail("adamw", "a learning rate lr is wanted");
	requireOperand("adamw", lr, eps, weightDecay);
	for (const beta of [beta1, beta2]) {
		if (!(beta >= 0 && beta < 1)) fail("adamw", `betas must be numbers from 0 to below 1, not ${describe(beta)}`);
	}
	const [first] = parameters;
	if (!first) return [];
	const count = buffer(`adamw.step.${first.name}`, zeros([]));
	const steps = add(count, 1);
	const correction = (beta: number) => (beta === 0 ? 1 : sub(1, exp(mul(steps, Math.log(beta)))));
	const [correction1, correction2] = [correction(beta1), correction(beta2)];
	const updates = parameters.flatMap((parameter, i) => {
		const gradient = gradients[i] as Tensor;
		const mean = buffer(`adamw.mean.${parameter.name}`, zeros(parameter.shape));
		const variance = buffer(`adamw.variance.${parameter.name}`, zeros(parameter.shape));
		const newMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
		const newVariance = add(mul(variance, beta2), mul(square(gradient), 1 - beta2));
		const denominator = add(sqrt(div(newVariance, correction2)), eps);
		const direction = div(div(newMean, correction1), denominator);
		const decayed = decay(parameter, lr, weightDecay);
		return [assign(mean, newMean), assign(variance, newVariance), assign(parameter, sub(decayed, mul(direction, lr)))];
	});
	return [assign(count, steps), ...updates];
}

/** Refuses gradients that do not belong to the parameters, one to one. */
export function requireWeights(op: string, parameters: readonly Parameter[], gradients: readonly Tensor[]): void {
	if (!Array.isArray(parameters) || !Array.isArray(gradients)) {
		fail(
			op,
			`a list of parameters and one of gradients are wanted, not ${describe(parameters)}, ${describe(gradients)}`,
		);
	}
	if (parameters.length !== gradients.length) {
		fail(op, `${parameters.length} parameters were given ${gradients.length} gradients`);
	}
	requireF32(op, ...gradients);
	parameters.forEach((parameter, i) => {
		if (!(parameter instanceof Parameter)) fail(op, `a parameter is wanted, not ${describe(parameter)}`);
		const { shape } = gradients[i]!;
		if (sameShape(parameter.shape, shape)) return;
		fail(op, `${parameter.name} is ${show(parameter.shape)}, its gradient ${show(shape)}`);
	});
}

/** The parameter after decoupled weight decay: p · (1 - lr · weightDecay). */
export function decay(parameter: Parameter, lr: Operand, weightDecay: Operand): Tensor {
	if (weightDecay === 0) return parameter;
	return mul(parameter, sub(1, mul(lr, weightDecay)));
}
