/** Reverse-mode differentiation, from expressions to expressions. */
import { fail, show } from "./errors.ts";
import { type AttributeSpec, type AttributesOf, describe, requireTensor, sameShape } from "./ops/define.ts";
import { add } from "./ops/elementwise.ts";
import { ones } from "./ops/leaf.ts";
import { definition } from "./ops/table.ts";
import { Parameter } from "./parameter.ts";
import type { Tensor } from "./tensor.ts";

/**
 * The gradients of `loss` (a scalar) with respect to each tensor of `wrt`, in that order and in their shapes. They
 * are expressions like any other: scale them, clip them, feed them to an optimizer. A gradient of a gradient is not
 * supported.
 * @throws TensorError when the loss is no scalar or does not depend on one of them.
 */
export function grad(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
	requireTensor("grad", loss);
	if (!Array.isArray(wrt)) fail("grad", `a list of tensors is wanted, not ${describe(wrt)}`);
	requireTensor("grad", ...wrt);
	if (loss.size !== 1) fail("grad", `the loss must be a scalar, not ${show(loss.shape)}`);
	const targets = new Set(wrt);
	const order = dependents(loss, targets);
	const gradients = new Map<Tensor, Tensor>([[loss, ones(loss.shape)]]);
	for (const node of [...order].reverse()) {
		const gradient = gradients.get(node);
		if (!gradient || node.inputs.length === 0) continue;
		const { vjp } = definition(node.op) ?? {};
		if (!vjp) fail("grad", `${node.op} has no gradient (a gradient of a gradient is not supported)`);
		vjp(node, gradient, node.attrs as AttributesOf<AttributeSpec>).forEach((contribution, i) => {
			const input = node.inputs[i] as Tensor;
			if (!contribution || !order.has(input)) return;
			const sofar = gradients.get(input);
			gradients.set(input, sofar ? add(sofar, contribution) : contribution);
		});
	}
	return wrt.map((target) => {
		const gradient = gradients.get(target);
		const name = target instanceof Parameter ? `parameter ${target.name}` : target.op;
		if (!gradient && order.has(target)) {
			fail("grad", `no gradient flows to ${name} ${show(target.shape)}: the loss uses it only under step or detach`);
		}
		if (!gradient) fail("grad", `the loss does not depend on ${name} ${show(target.shape)}`);
		if (!sameShape(gradient.shape, target.shape)) fail("grad", `${name} has gradient ${show(gradient.shape)}`);
		return gradient;
	});
}

/** The nodes under `root` that depend on a target, inputs before users. */
function dependents(root: Tensor, targets: ReadonlySet<Tensor>): Set<Tensor> {
	const dependent = new Map<Tensor, boolean>();
	const order = new Set<Tensor>();
	const stack: Tensor[] = [root];
	for (let node = stack.at(-1); node; node = stack.at(-1)) {
		const waiting = dependent.has(node) ? [] : node.inputs.filter((input) => !dependent.has(input));
		if (waiting.length > 0) {
			stack.push(...waiting);
			continue;
		}
		stack.pop();
		if (dependent.has(node)) continue;
		const needed = targets.has(node) || node.inputs.some((input) => dependent.get(input));
		dependent.set(node, needed);
		if (needed) order.add(node);
	}
	return order;
}
