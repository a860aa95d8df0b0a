/**
 * Every operation with a gradient, on sizes that fill no vector register: for tests against differences and between
 * devices.
 */
import * as t from "../../../trainer/tensor/index.ts";
import { type Inputs, ids } from "./numeric.ts";

/** A name, an expression, and what it is given. */
export type Case = [name: string, build: (x: Record<string, t.Tensor>) => t.Tensor, inputs: Inputs];

const one = (from = -1, to = 1): Inputs => ({ x: { shape: [3, 5, 7], from, to } });
const pair = (a: number[], b: number[], from = -1, to = 1): Inputs => ({
	a: { shape: a },
	b: { shape: b, from, to },
});
const heads = (H: number, G: number): Inputs => ({
	q: { shape: [2, 19, H, 6] },
	k: { shape: [2, 19, G, 6] },
	v: { shape: [2, 19, G, 6] },
});

export const cases: Case[] = [
	["add", ({ a, b }) => a!.add(b!), pair([3, 5], [3, 5])],
	["add that stretches both operands", ({ a, b }) => a!.add(b!), pair([3, 1, 7], [5, 1])],
	["sub that stretches its first operand", ({ a, b }) => a!.sub(b!), pair([7], [3, 5, 7])],
	["mul", ({ a, b }) => a!.mul(b!), pair([2, 3, 5, 7], [5, 1])],
	["mul by a scalar tensor", ({ a, b }) => a!.mul(b!), pair([3, 7], [])],
	["div", ({ a, b }) => a!.div(b!), pair([3, 7], [3, 7], 1, 2)],
	["div that stretches its first operand", ({ a, b }) => a!.div(b!), pair([1, 7], [3, 7], 1, 2)],
	["mul of a tensor by itself", ({ x }) => x!.mul(x!), one()],
	["affine arithmetic with numbers", ({ x }) => t.sub(3, x!.mul(2).add(1).div(4)), one()],
	["a number over a tensor", ({ x }) => t.div(2, x!), one(1, 2)],
	["neg", ({ x }) => x!.neg(), one()],
	["exp", ({ x }) => x!.exp(), one()],
	["log", ({ x }) => x!.log(), one(0.5, 2)],
	["sqrt", ({ x }) => x!.sqrt(), one(0.5, 2)],
	["rsqrt", ({ x }) => x!.rsqrt(), one(0.5, 2)],
	["square", ({ x }) => x!.square(), one()],
	["abs", ({ x }) => t.abs(x!), one(0.1, 1)],
	["sin", ({ x }) => t.sin(x!), one()],
	["cos", ({ x }) => t.cos(x!), one()],
	["relu", ({ x }) => t.relu(x!), one(0.1, 1)],
	["relu of negatives", ({ x }) => t.relu(x!), one(-1, -0.1)],
	["squared relu", ({ x }) => t.relu(x!).square(), one()],
	["sigmoid", ({ x }) => t.sigmoid(x!), one(-3, 3)],
	["tanh", ({ x }) => t.tanh(x!), one(-2, 2)],
	["silu", ({ x }) => t.silu(x!), one(-3, 3)],
	["gelu", ({ x }) => t.gelu(x!), one(-3, 3)],
	["softcap", ({ x }) => t.softcap(x!, 2), one(-4, 4)],
	["pow 3", ({ x }) => t.pow(x!, 3), one()],
	["pow 1.5", ({ x }) => t.pow(x!, 1.5), one(0.5, 2)],
	["maximum", ({ a, b }) => t.maximum(a!, b!), pair([3, 7], [3, 7], 1.1, 2)],
	["minimum", ({ a, b }) => t.minimum(a!, b!), pair([3, 7], [3, 7], 1.1, 2)],
	["where", ({ a, b }) => t.where(t.step(t.tensor([1, -1, 1])), a!, b!), pair([5, 3], [5, 3])],
	["sum", ({ x }) => x!.sum(), one()],
	["sum over the last dimension", ({ x }) => x!.sum(-1), one()],
	["sum over the first dimension", ({ x }) => x!.sum(0), one()],
	["sum over two dimensions", ({ x }) => x!.sum([0, 2], { keepdim: true }), one()],
	["mean over the middle", ({ x }) => x!.mean(1), one()],
	["variance", ({ x }) => t.variance(x!, -1), one()],
	["broadcastTo", ({ x }) => t.broadcastTo(x!, [4, 3, 5]), { x: { shape: [3, 1] } }],
	["reshape", ({ x }) => x!.reshape([7, -1]).square(), one()],
	["transpose", ({ x }) => x!.transpose(0, 2).square(), one()],
	["permute of four dimensions", ({ x }) => x!.permute([2, 0, 3, 1]).square(), { x: { shape: [2, 3, 5, 7] } }],
	["slice", ({ x }) => x!.slice(1, 1, 4).square(), one()],
	["slice of the last dimension", ({ x }) => x!.slice(-1, 2).square(), one()],
	["slice of the first dimension", ({ x }) => x!.slice(0, 1, -1).square(), one()],
	["slice of the first dimension, scaled", ({ x }) => x!.slice(0, 1, 2).mul(0.5).add(1), one()],
	["slice after dimensions of one, capped", ({ x }) => t.softcap(x!.slice(1, 1, 3), 2), { x: { shape: [1, 5, 7] } }],
	["pad", ({ x }) => t.pad(x!, 2, 3, 1).add(1).square(), one()],
	["concat", ({ a, b }) => t.concat([a!, b!, a!], 1).square(), pair([3, 2, 5], [3, 4, 5])],
	["shift", ({ x }) => t.shift(x!, 2).add(x!).square(), one()],
	["matmul", ({ a, b }) => t.matmul(a!, b!), pair([5, 7], [7, 3])],
	["matmul aᵀ b", ({ a, b }) => t.matmul(a!, b!, { transposeA: true }), pair([7, 5], [7, 3])],
	["matmul a bᵀ", ({ a, b }) => t.matmul(a!, b!, { transposeB: true }), pair([5, 7], [3, 7])],
	["matmul aᵀ bᵀ", ({ a, b }) => t.matmul(a!, b!, { transposeA: true, transposeB: true }), pair([7, 5], [3, 7])],
	["matmul of stacks", ({ a, b }) => t.matmul(a!, b!), pair([2, 3, 5, 7], [2, 3, 7, 11])],
	["matmul of a stack by a matrix", ({ a, b }) => t.matmul(a!, b!), pair([2, 5, 7], [7, 3])],
	["matmul that stretches a stack", ({ a, b }) => t.matmul(a!, b!), pair([1, 5, 7], [3, 7, 2])],
	[
		"linear with bias",
		({ x, w, b }) => t.linear(x!, w!, { bias: b! }),
		{ x: { shape: [2, 5, 7] }, w: { shape: [3, 7] }, b: { shape: [3] } },
	],
	[
		"embedding",
		({ w, id }) => t.embedding(id!, w!),
		{ w: { shape: [11, 7] }, id: { shape: [2, 9], values: ids(18, 11) } },
	],
	[
		"embedding of shifted ids",
		({ w, id }) => t.embedding(t.shift(id!, 1), w!),
		{ w: { shape: [11, 7] }, id: { shape: [2, 9], values: ids(18, 11) } },
	],
	["rmsNorm", ({ x }) => t.rmsNorm(x!), one()],
	[
		"rmsNorm with weight",
		({ x, w }) => t.rmsNorm(x!, { weight: w!, eps: 1e-3 }),
		{ x: { shape: [3, 5, 7] }, w: { shape: [7] } },
	],
	["softmax", ({ x }) => t.softmax(x!), one(-3, 3)],
	["softmax over another dimension", ({ x }) => t.softmax(x!, 1), one(-3, 3)],
	["rotary", ({ x }) => t.rotary(x!, { base: 100 }).square(), { x: { shape: [2, 9, 3, 6] } }],
	["attention", ({ q, k, v }) => t.attention(q!, k!, v!), heads(3, 3)],
	["attention without a mask", ({ q, k, v }) => t.attention(q!, k!, v!, { causal: false }), heads(2, 2)],
	["attention in a window", ({ q, k, v }) => t.attention(q!, k!, v!, { window: 5 }), heads(3, 3)],
	["grouped-query attention", ({ q, k, v }) => t.attention(q!, k!, v!), heads(6, 2)],
	[
		"multi-query attention in a window",
		({ q, k, v }) => t.attention(q!, k!, v!, { window: 7, scale: 0.9 }),
		heads(3, 1),
	],
	[
		"attention over more positions than are computed at once",
		({ q, k, v }) => t.attention(q!, k!, v!, { window: 700 }),
		{ q: { shape: [2, 1030, 2, 4] }, k: { shape: [2, 1030, 1, 4] }, v: { shape: [2, 1030, 1, 4] } },
	],
	["attention of one tensor to itself", ({ x }) => t.attention(x!, x!, x!), { x: { shape: [1, 9, 2, 6] } }],
	[
		"crossEntropy",
		({ x, y }) => t.crossEntropy(x!, y!),
		{ x: { shape: [2, 9, 13], from: -3, to: 3 }, y: { shape: [2, 9], values: ids(18, 13) } },
	],
	[
		"crossEntropy of softcapped logits, one a position",
		({ x, y }) => t.crossEntropy(x!, y!, { softcap: 2, reduction: "none" }),
		{ x: { shape: [2, 9, 13], from: -3, to: 3 }, y: { shape: [2, 9], values: ids(18, 13) } },
	],
	["detach stops the gradient of one factor", ({ x }) => x!.add(t.detach(x!).mul(0)), one()],
];
