/** Cross-entropy in chunks of rows gives the same results as in one piece, without all logits in memory. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../../trainer/tensor/index.ts";
import { chunkCrossEntropies, ROW_MULTIPLE } from "../../../../trainer/tensor/lower/chunked-cross-entropy.ts";
import type { Lowering } from "../../../../trainer/tensor/lower/lowering.ts";
import { portable } from "../../../../trainer/tensor/lower/portable.ts";
import { reachable } from "../../../../trainer/tensor/schedule.ts";
import { assertClose, ids, random } from "../numeric.ts";

t.configure({ threads: 1 });

/** Two whole chunks and a part of one. */
const [B, T, D, V] = [3, 47, 8, 37] as const;
const N = B * T;
const LIMIT = ROW_MULTIPLE * V;

const cutAt = (limit: number): Lowering => ({
	...portable,
	prepare: (outputs, updates) => chunkCrossEntropies(outputs, updates, limit),
});

const x = t.input("x", [B, T, D]);
const W = t.input("W", [V, D]);
const w = t.input("w", [B, T]);
const s = t.input("s", []);
const tokens = t.input("tokens", [B, T], "i32");
const targets = t.input("targets", [B, T], "i32");
const FEEDS = {
	...{ x: random(N * D, 1, -2, 2), W: random(V * D, 2, -2, 2), w: random(N, 3, 0, 1), s: random(1, 4, 0.5, 2) },
	...{ tokens: ids(N, V, 5), targets: ids(N, V, 6) },
};

type Outputs = Record<string, t.Tensor>;

/** The loss and its gradients. */
function withGradients(loss: t.Tensor, by: Outputs): Outputs {
	const gradients = t.grad(loss, Object.values(by));
	return { loss, ...Object.fromEntries(Object.keys(by).map((name, i) => [`d_${name}`, gradients[i]!])) };
}

const planned = (outputs: Outputs, limit?: number) =>
	reachable(chunkCrossEntropies(Object.values(outputs), [], limit).outputs);

function assertSame(outputs: Outputs): void {
	const answers = (limit: number) => {
		const program = t.compile(outputs, [], cutAt(limit));
		const used = new Set(reachable(Object.values(outputs)).map(({ attrs }) => attrs.name));
		const results = program.run(Object.fromEntries(Object.entries(FEEDS).filter(([name]) => used.has(name))));
		program.close();
		return results;
	};
	const [whole, chunks] = [answers(Number.POSITIVE_INFINITY), answers(LIMIT)];
	for (const name of Object.keys(outputs)) assertClose(chunks[name]!.data, whole[name]!.data);
}

/** How many matrix products a program has in chunks, when none of its tensors is as large as the logits. */
function productsInChunks(outputs: Outputs): number {
	const nodes = planned(outputs, LIMIT);
	assert.ok(nodes.every(({ size }) => size <= LIMIT));
	// Tensors left of the old graph would be computed before those of the new one.
	const old = new Set(reachable(Object.values(outputs)));
	assert.ok(nodes.every((node) => node.inputs.length === 0 || !old.has(node)));
	return nodes.filter(({ op }) => op === "matmul").length;
}

const losses = (logits: t.Tensor, softcap = 0) => t.crossEntropy(logits, targets, { softcap, reduction: "none" });

for (const softcap of [0, 3])
	describe(`in chunks, ${softcap ? "with" : "without"} a softcap, as without chunks`, () => {
		const logits = t.linear(x, W);
		const check = (outputs: Outputs, products: number) => {
			assert.equal(productsInChunks(outputs), products);
			assertSame(outputs);
		};

		it("the losses alone", () => check({ losses: losses(logits, softcap) }, 3));

		it("a mean", () => check(withGradients(t.crossEntropy(logits, targets, { softcap }), { x, W }), 9));

		it("the gradients alone", () => {
			const { loss, ...gradients } = withGradients(t.crossEntropy(logits, targets, { softcap }), { x, W });
			check(gradients, 9);
		});

		it("a mean with a weight", () =>
			check(withGradients(t.crossEntropy(logits, targets, { softcap }).mul(s), { x, W, s }), 9));

		it("each loss with a weight of its own", () =>
			check(withGradients(losses(logits, softcap).mul(w).sum(), { x, W, w }), 9));

		it("one gradient only", () => check(withGradients(t.crossEntropy(logits, targets, { softcap }), { W }), 6));

		it("weights that follow from the losses, for which the logits are computed again", () => {
			const all = losses(logits, softcap);
			check(withGradients(all.mul(t.exp(all.neg())).sum(), { x, W }), 12);
		});

		it("a weight that is also the embedding's", () => {
			const embedded = t.rmsNorm(t.embedding(tokens, W));
			check(withGradients(t.crossEntropy(t.linear(embedded, W), targets, { softcap }), { W }), 9);
		});

		it("a weight [in, out]", () => {
			const columns = W.transpose(0, 1);
			check(withGradients(t.crossEntropy(t.matmul(x, columns), targets, { softcap }), { x, W }), 9);
		});

		it("two heads whose losses weigh each other", () => {
			const one = t.crossEntropy(logits, targets, { softcap });
			const other = t.crossEntropy(t.linear(x.mul(2), W), targets, { softcap });
			check(withGradients(one.mul(other), { x, W }), 2 * 12);
		});
	});

it("updates of parameters come from the same gradients", () => {
	const after = (limit: number) => {
		const head = t.parameter("head", t.tensor(FEEDS.W, [V, D]));
		const loss = t.crossEntropy(t.linear(x, head), targets);
		const program = t.compile({ loss }, t.adamw([head], t.grad(loss, [head]), { lr: 0.1 }), cutAt(limit));
		for (let i = 0; i < 3; i++) program.run({ x: FEEDS.x, targets: FEEDS.targets });
		program.close();
		return t.read(head);
	};
	assertClose(after(LIMIT), after(Number.POSITIVE_INFINITY));
});

it("a chunk's losses and gradient share its probabilities", () => {
	const nodes = planned(withGradients(t.crossEntropy(t.linear(x, W), targets), { x, W }), LIMIT);
	const readBy = (half: string) => nodes.filter(({ op }) => op === half).map(({ inputs }) => inputs.slice(0, 2));
	assert.equal(readBy("cross_entropy").length, 3);
	assert.deepEqual(readBy("cross_entropy_backward"), readBy("cross_entropy"));
});

it("products keep their precision", () => {
	const outputs = withGradients(t.crossEntropy(t.linear(x, W, { bf16: true }), targets), { x, W });
	const products = planned(outputs, LIMIT).filter(({ op }) => op === "matmul");
	assert.ok(products.length === 9 && products.every(({ attrs }) => attrs.bf16));
});

describe("a program is left as it is where", () => {
	const isLeft = (outputs: Outputs, limit = LIMIT) =>
		assert.deepEqual(new Set(planned(outputs, limit)), new Set(reachable(Object.values(outputs))));
	const logits = t.linear(x, W);
	const loss = t.crossEntropy(logits, targets);

	it("the logits are small", () => isLeft(withGradients(loss, { x, W }), N * V));
	it("the logits are asked for", () => isLeft({ logits, ...withGradients(loss, { x, W }) }));
	it("the logits are read elsewhere", () => isLeft(withGradients(loss.add(logits.square().mean()), { x, W })));
	it("the logits' gradient is asked for", () => isLeft(withGradients(loss, { product: logits.reshape([N, V]) })));
	it("the logits' gradient is read elsewhere", () => {
		const { d_product } = withGradients(loss, { product: logits.reshape([N, V]) });
		isLeft({ sum: d_product!.sum() });
	});
	it("the logits are no product", () => isLeft(withGradients(t.crossEntropy(logits.mul(2), targets), { x, W })));
	it("a product reads another", () => {
		const { d_x, d_W } = withGradients(loss, { x, W }) as { d_x: t.Tensor; d_W: t.Tensor };
		const [gradient] = d_W.inputs as [t.Tensor];
		isLeft({ d_x, twice: t.matmul(gradient, d_W) });
	});
});

describe("memory", () => {
	const step = (rows: number, vocabulary: number) => {
		const x = t.input("x", [rows, 8]);
		const head = t.input("head", [vocabulary, 8]);
		const targets = t.input("targets", [rows], "i32");
		return withGradients(t.crossEntropy(t.linear(x, head), targets, { softcap: 15 }), { x, head });
	};

	it("is a chunk's, however many there are", () => {
		const outputs = step(32 * ROW_MULTIPLE, 1000);
		const activations = (chunks: number) => {
			const program = t.compile(outputs, [], cutAt((32 * ROW_MULTIPLE * 1000) / chunks));
			program.close();
			return program.memory.activations;
		};
		assert.ok(activations(16) < activations(1) / 8);
	});

	it("never holds more than 2^26 logits", () => {
		const outputs = step(2 ** 15 + 5, 2 ** 13);
		assert.ok(planned(outputs).every(({ size }) => size <= 2 ** 26));
	});
});
