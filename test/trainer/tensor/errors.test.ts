/** Errors name the operation, the shapes and the line of train.ts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../trainer/tensor/index.ts";
import "./lowerings.ts";

/** `make` throws a TensorError whose message contains each of `parts`. */
function refuses(make: () => unknown, ...parts: string[]): void {
	assert.throws(make, (error: Error) => {
		assert.equal(error.name, "TensorError");
		for (const part of parts) assert.ok(error.message.includes(part), `"${error.message}" does not say "${part}"`);
		return true;
	});
}

const x = t.input("x", [2, 3]);
const tokens = t.input("tokens", [2, 5], "i32");

describe("a wrong shape is named", () => {
	it("with the operation, both shapes and the line", () => {
		refuses(() => x.add(t.input("y", [4])), "add: [2, 3] and [4] do not broadcast", "(errors.test.ts:");
	});
	it("in a matrix product", () => {
		refuses(() => t.matmul(x, t.input("y", [4, 5])), "matmul: [2, 3] times [4, 5]: the inner lengths 3 and 4 differ");
		refuses(() => t.linear(x, t.zeros([5, 4])), "linear: x [2, 3] does not fit weight [5, 4]");
	});
	it("in a reshape, a permutation, a slice and a join", () => {
		refuses(() => x.reshape([4, -1]), "reshape: [2, 3] does not fit into [4, -1]");
		refuses(() => x.reshape([5]), "reshape: [2, 3] does not fit into [5]");
		refuses(() => x.permute([0, 0]), "permute: [0, 0] does not order the dimensions of [2, 3]");
		refuses(() => x.transpose(0, 2), "there is no dimension 2 in [2, 3]");
		refuses(() => x.slice(1, 2, 9), "slice: 2 to 9 is not a part of dimension 1 of [2, 3]");
		refuses(() => t.concat([x, t.zeros([3, 3])], 1), "concat: [2, 3] and [3, 3]");
		refuses(() => t.shift(x, 3), "shift: 3 steps do not fit");
		refuses(() => t.zeros([1, 2, 3, 4, 5]).mul(2), "more than 4 dimensions");
		refuses(() => t.input("nothing", [0, 2]), "is not a shape");
	});
	it("in the layers of a model", () => {
		refuses(() => t.embedding(x, t.zeros([9, 4])), "embedding:", "token ids and [count, width] are wanted");
		refuses(() => t.rotary(x), "rotary: [2, 3]", "[B, T, heads, even width]");
		const head = t.input("head", [2, 5, 4, 6]);
		refuses(
			() => t.attention(head, t.input("k", [2, 5, 3, 6]), t.input("v", [2, 5, 3, 6])),
			"attention: q [2, 5, 4, 6]",
		);
		refuses(() => t.attention(head, head, head, { causal: false, window: 3 }), "a window needs causal attention");
		refuses(() => t.crossEntropy(t.input("l", [2, 4, 9]), tokens), "logits [2, 4, 9] do not match targets [2, 5]");
	});
	it("token ids do not pass for numbers", () => {
		refuses(() => tokens.mul(2), "needs numbers (f32), was given token ids");
	});
});

describe("a wrong argument is refused under the function's own name", () => {
	const a = t.input("a", [2, 3]);
	const w = t.parameter("w", t.zeros([2, 3]));
	const bias = t.parameter("bias", t.zeros([3]));
	const nothing = undefined as unknown as t.Tensor;
	// biome-ignore lint/suspicious/noExplicitAny: what the types refuse, and a train.ts that nobody checked may say
	const any = t as any;

	it("no tensor, where there should be one", () => {
		refuses(() => a.mul(nothing), "mul: a tensor or a number is wanted, not undefined (errors.test.ts:");
		refuses(() => t.sub(a, null as unknown as number), "sub: a tensor or a number is wanted, not null");
		refuses(() => any.relu(a.shape), "relu: a tensor is wanted, not a value of type Array");
		for (const name of ["neg", "rsqrt", "gelu", "sign", "softcap", "pow", "sum", "mean", "variance", "softmax"]) {
			refuses(() => any[name](), `${name}: a tensor is wanted, not undefined`);
		}
		for (const name of ["rmsNorm", "rotary", "detach", "reshape", "permute", "slice", "pad", "shift", "parameters"]) {
			refuses(() => any[name]("x"), `${name}: a tensor is wanted, not "x"`);
		}
		for (const name of ["matmul", "linear", "attention", "embedding", "crossEntropy"]) {
			refuses(() => any[name](a, 3), `${name}: a tensor is wanted, not 3`);
		}
		refuses(() => any.concat(a, a), "concat: a list is wanted, not a tensor [2, 3]");
		refuses(() => any.grad(a.sum(), w), "grad: a list of tensors is wanted, not a tensor [2, 3]");
		refuses(() => any.parameter(t.zeros([3])), "parameter: a name is wanted first, not a tensor [3]");
		refuses(() => any.parameter("w", [3]), "parameter w: a tensor is wanted");
	});
	it("shapes", () => {
		refuses(() => a.mul(t.ones([4])), "mul: [2, 3] and [4] do not broadcast");
		refuses(() => any.reshape(a, 3, 2), "reshape: a list is wanted, not 3");
		refuses(() => a.reshape([2, nothing as unknown as number]), "reshape: [2, 3] does not fit into [2, undefined]");
		refuses(() => any.zeros(3), "zeros: a shape such as [2, 3] is wanted, not 3");
		refuses(() => any.input("x"), "input x: a shape such as [2, 3] is wanted, not undefined");
		refuses(() => any.tensor([[1, 2]]), "tensor: one flat list of numbers is wanted");
		refuses(() => t.mean(a, 2), "mean: there is no dimension 2 in [2, 3]");
		refuses(() => t.softmax(a, 2), "softmax: there is no dimension 2 in [2, 3]");
		refuses(() => t.embedding(t.zeros([9, 4]), tokens), "embedding: ids f32 [9, 4] and weight i32 [2, 5]");
	});
	it("numbers that are not finite", () => {
		refuses(() => t.where(t.step(a), a, -Infinity), "where: a finite number is wanted, not -Infinity");
		refuses(() => t.maximum(a, Number.NaN), "maximum: a finite number is wanted, not NaN");
		refuses(() => t.minimum(a, 1e39), "minimum: a finite number is wanted, not 1e+39");
		refuses(() => a.div(0), "div: cannot divide by the number 0");
	});
	it("options", () => {
		refuses(() => any.rmsNorm(a, bias), "rmsNorm: options { weight, eps } are wanted, not a tensor [3]");
		refuses(() => any.rmsNorm(a, { epsilon: 1 }), "rmsNorm: there is no option epsilon; there are weight, eps");
		refuses(() => any.sum(a, 0, { keepDim: true }), "sum: there is no option keepDim; there are keepdim");
		refuses(() => any.matmul(a, a, { transpose: true }), "matmul: there is no option transpose");
		refuses(() => any.linear(a, w, bias), "linear: options { bias, bf16 } are wanted");
		refuses(() => any.rotary(t.input("h", [1, 2, 1, 4]), 100), "rotary: options { base } are wanted, not 100");
		const logits = t.input("logits", [2, 5, 9]);
		const reduction = { reduction: "sum" };
		refuses(() => any.crossEntropy(logits, tokens, reduction), 'the reduction is "mean" or "none", not "sum"');
		refuses(() => any.crossEntropy(logits, tokens, { smoothing: 0.1 }), "there is no option smoothing");
		const head = t.input("head", [2, 5, 4, 6]);
		refuses(() => any.attention(head, head, head, { isCausal: true }), "attention: there is no option isCausal");
		refuses(() => t.attention(head, head, head, { window: 2.5 }), "attention: window must be an integer, not 2.5");
	});
	it("of optimizers", () => {
		const lr = 0.1;
		refuses(() => t.adamw([w, bias], [w], { lr }), "adamw: 2 parameters were given 1 gradients");
		refuses(() => t.adamw([w], [bias], { lr }), "adamw: w is [2, 3], its gradient [3]");
		refuses(() => any.adamw([w], [w], {}), "adamw: a learning rate lr is wanted");
		refuses(
			() => any.adamw([w], [w]),
			"adamw: options { lr, beta1, beta2, eps, weightDecay } are wanted, not undefined",
		);
		refuses(() => any.adamw([w], [w], { lr, betas: [0.9, 0.95] }), "adamw: there is no option betas");
		refuses(() => t.adamw([w], [w], { lr, beta1: 1 }), "adamw: betas must be numbers from 0 to below 1, not 1");
		refuses(() => any.adamw([a], [a], { lr }), "adamw: a parameter is wanted, not a tensor [2, 3]");
		refuses(() => t.muon([bias], [bias], { lr }), "muon: bias is [3]: matrices are wanted");
		refuses(() => any.muon([w], [w], {}), "muon: a learning rate lr is wanted");
	});
	it("of random initial values", () => {
		refuses(() => any.normal([2, 3], 0.02), "normal: seeded(…) is wanted third, not undefined");
		refuses(() => any.uniform([2, 3], t.seeded(1)), "uniform: a number is wanted second");
		refuses(() => t.normal([100_000, 100_000], 1, t.seeded(1)), "normal: [100000, 100000]", "it needs 40.00 GB");
	});
});

describe("a wrong program is refused before it runs", () => {
	it("a loss that is not a number", () => refuses(() => t.grad(x, [x]), "the loss must be a scalar, not [2, 3]"));
	it("a gradient by what the loss does not depend on", () => {
		const w = t.parameter("idle", t.zeros([3]));
		refuses(() => t.grad(x.sum(), [w]), "the loss does not depend on parameter idle [3]");
	});
	it("a gradient that does not flow", () => {
		const threshold = t.parameter("threshold", t.zeros([3]));
		const loss = x.mul(t.step(x.sub(threshold))).sum();
		const why = "no gradient flows to parameter threshold [3]: the loss uses it only under step or detach";
		refuses(() => t.grad(loss, t.parameters(loss)), why);
	});
	it("an output or an update that is none", () => {
		const outputs = { loss: x, gradient: undefined as unknown as t.Tensor };
		refuses(() => t.compile(outputs), "compile: output gradient must be a tensor, not undefined");
		const updates = [undefined] as unknown as t.Update[];
		refuses(() => t.compile({ x }, updates), "compile: updates are made with assign; undefined is none");
		refuses(() => t.assign(x as t.Parameter, x), "assign: a parameter or a buffer is wanted, not a tensor [2, 3]");
	});
	it("a gradient of a gradient of a fused operation", () => {
		const [g] = t.grad(t.rmsNorm(x).sum(), [x]) as [t.Tensor];
		refuses(() => t.grad(g.square().sum(), [x]), "a gradient of a gradient is not supported");
	});
	it("an update of another shape, or two of one parameter", () => {
		const w = t.parameter("w", t.zeros([3]));
		refuses(() => t.assign(w, x), "assign: w is [3], its new value [2, 3]");
		const twice = [t.assign(w, w.add(1)), t.assign(w, w.add(2))];
		refuses(() => t.compile({}, twice), "w is updated twice");
	});
	it("a parameter that starts from a computed tensor", () => {
		refuses(() => t.parameter("w", x.mul(2)), "parameter w: starts from zeros");
	});
	it("a constant id outside of its table", () => {
		const id = t.tensor(Int32Array.of(1, 7));
		refuses(() => t.compile({ y: t.embedding(id, t.zeros([7, 2])) }), "id 7, outside of 0 to 6");
	});
	it("one that needs more memory than there is, with both numbers", () => {
		const huge = Array.from({ length: 64 }, (_, i) => t.parameter(`huge${i}`, t.zeros([60_000, 60_000])));
		const total = huge.reduce<t.Tensor>((sum, part) => sum.add(part.sum()), t.zeros([]));
		refuses(() => t.compile({ total }), "the parameters need 921.60 GB", "of cpu memory are free");
	});
});

describe("a wrong feed is refused", () => {
	const table = t.parameter("table", t.ones([7, 2]));
	const program = t.compile({ y: t.embedding(tokens, table), z: x });
	const good = { tokens: new Int32Array(10), x: new Float32Array(6) };
	it("with an unknown, a missing or a misshapen input", () => {
		refuses(() => program.run({ ...good, xx: 1 }), "there is no input xx; there are x, tokens");
		refuses(() => program.run({ tokens: good.tokens }), "input x [2, 3] was not fed");
		refuses(
			() => program.run({ ...good, x: new Float32Array(5) }),
			"input x is f32 [2, 3], was fed a Float32Array of 5",
		);
		refuses(() => program.run({ ...good, tokens: new Float32Array(10) }), "input tokens is i32 [2, 5]");
	});
	it("with a token id outside of the vocabulary", () => {
		refuses(() => program.run({ ...good, tokens: good.tokens.with(3, 7) }), "tokens[3] is 7, outside of 0 to 6");
	});
	it("after it was closed", () => {
		program.close();
		refuses(() => program.run(good), "the graph was closed");
	});
});
