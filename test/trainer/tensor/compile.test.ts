/** Compiled graphs: what they compute, in which order they update, and that they own and free their memory. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as t from "../../../trainer/tensor/index.ts";
import type { Lowering } from "../../../trainer/tensor/lower/lowering.ts";
import { read, release, storedBytes } from "../../../trainer/tensor/storage.ts";
import { lowerings } from "./lowerings.ts";
import { assertClose, evaluate as evaluateWith, ids, random } from "./numeric.ts";

/** Two linear layers that learn a fixed random mapping of token ids; the loss of each step. */
function trainTiny(steps: number, optimizer: "adamw" | "muon", lowering: Lowering): number[] {
	const draw = t.seeded(5);
	const [tokens, targets] = [t.input("tokens", [2, 8], "i32"), t.input("targets", [2, 8], "i32")];
	const table = t.parameter("table", t.normal([13, 12], 1, draw));
	const up = t.parameter("up", t.normal([24, 12], 0.2, draw));
	const down = t.parameter("down", t.normal([13, 24], 0.2, draw));
	const hidden = t.silu(t.linear(t.rmsNorm(t.embedding(tokens, table)), up));
	const loss = t.crossEntropy(t.linear(hidden, down), targets);
	const weights = t.parameters(loss);
	const lr = t.scalar("lr");
	const update = optimizer === "muon" ? t.muon : t.adamw;
	const program = t.compile({ loss }, update(weights, t.grad(loss, weights), { lr, weightDecay: 0.01 }), lowering);
	const feeds = { tokens: ids(16, 13, 1), targets: ids(16, 13, 2), lr: 0.02 };
	const losses = Array.from({ length: steps }, () => program.run(feeds).loss.item());
	program.close();
	return losses;
}

/** Losses in which something else than one cross-entropy reads the logits, or other outputs that do. */
const lossesOfReadLogits: Record<
	string,
	(logits: t.Tensor, y: t.Tensor) => { loss: t.Tensor } & Record<string, t.Tensor>
> = {
	"a penalty on their size": (logits, y) => ({ loss: t.crossEntropy(logits, y).add(logits.square().mean()) }),
	"a z-loss made first": (logits, y) => {
		const z = t.log(t.exp(logits).sum(-1)).square().mean();
		return { loss: z.add(t.crossEntropy(logits, y)) };
	},
	"a penalty on what the softcap leaves": (logits, y) => {
		const capped = t.softcap(logits, 3);
		return { loss: t.crossEntropy(capped, y).add(capped.square().mean()) };
	},
	"a second cross-entropy": (logits, y) => ({
		loss: t.crossEntropy(logits, y).add(t.crossEntropy(logits, t.shift(y, 1)).mul(0.5)),
	}),
	"a cross-entropy of some of them": (logits, y) => ({
		loss: t.crossEntropy(logits.slice(0, 0, 1), y.slice(0, 0, 1)).add(t.crossEntropy(logits, y)),
	}),
	"an output": (logits, y) => ({ loss: t.crossEntropy(logits, y), logits }),
	"an output of another shape": (logits, y) => ({ loss: t.crossEntropy(logits, y), logits: logits.reshape([42]) }),
};

for (const lowering of lowerings) {
	const evaluate = (tensor: t.Tensor) => evaluateWith(tensor, {}, lowering);

	describe(`a compiled program: ${lowering.name}`, () => {
		it("adds to a parameter what each run brings, also when other outputs read the sum before or after", () => {
			const sum = t.parameter("sum", t.tensor([1, 2]));
			const other = t.buffer("other", t.zeros([2]));
			const x = t.input("x", [2]);
			const more = x.mul(2);
			const program = t.compile(
				{ before: sum.mul(10), more },
				[t.assign(sum, sum.add(more)), t.assign(other, other.add(sum))],
				lowering,
			);
			const first = program.run({ x: Float32Array.of(1, 2) });
			assertClose(first.before.data, [10, 20]);
			assertClose(first.more.data, [2, 4]);
			assertClose(program.run({ x: Float32Array.of(0, 1) }).before.data, [30, 60]);
			assertClose(read(sum), [3, 8]);
			assertClose(read(other), [4, 8]);
			const doubling = t.compile({}, [t.assign(sum, sum.add(sum))], lowering);
			doubling.run();
			assertClose(read(sum), [6, 16]);
			program.close();
			doubling.close();
		});

		it("computes what its expression says", () => {
			const a = t.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
			assertClose(evaluate(t.matmul(a, a, { transposeB: true })), [14, 32, 32, 77]);
			assertClose(evaluate(a.transpose(0, 1).mul(10)), [10, 40, 20, 50, 30, 60]);
			assertClose(evaluate(t.shift(a, 1)), [0, 1, 2, 0, 4, 5]);
			assertClose(evaluate(t.softmax(t.tensor([0, Math.log(3)]))), [0.25, 0.75]);
			assertClose(evaluate(t.gelu(t.tensor([-1, 0, 2]))), [-0.158808, 0, 1.954598], 1e-5);
			assertClose(evaluate(t.rmsNorm(t.tensor([3, 4]))), [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)]);
			assertClose(evaluate(t.variance(t.tensor([1, 2, 3, 4]))), [1.25]);
		});

		it("turns rotary pairs by their position the way nanochat does", () => {
			const x = t.tensor([1, 2, 3, 4, 1, 2, 3, 4], [1, 2, 1, 4]);
			const [c0, s0, c1, s1] = [Math.cos(1), Math.sin(1), Math.cos(0.01), Math.sin(0.01)];
			const turned = [1 * c0 + 3 * s0, 2 * c1 + 4 * s1, -1 * s0 + 3 * c0, -2 * s1 + 4 * c1];
			assertClose(evaluate(t.rotary(x)), [1, 2, 3, 4, ...turned]);
		});

		it("attends to the window before each position only", () => {
			const T = 6;
			const value = t.tensor(
				Float32Array.from({ length: T }, (_, i) => i),
				[1, T, 1, 1],
			);
			const flat = t.zeros([1, T, 1, 1]);
			assertClose(evaluate(t.attention(flat, flat, value)), [0, 0.5, 1, 1.5, 2, 2.5]);
			assertClose(evaluate(t.attention(flat, flat, value, { window: 2 })), [0, 0.5, 1.5, 2.5, 3.5, 4.5]);
			assertClose(evaluate(t.attention(flat, flat, value, { causal: false })), Array(T).fill(2.5));
		});

		it("updates from the values before the run, in whatever order updates are given", () => {
			const a = t.parameter("a", t.tensor([1, 2]));
			const b = t.parameter("b", t.tensor([10, 20]));
			const program = t.compile({ before: a, sum: a.add(b) }, [t.assign(a, a.add(b)), t.assign(b, b.sub(a))], lowering);
			const { before, sum } = program.run();
			assert.deepEqual([...before.data, ...sum.data], [1, 2, 11, 22]);
			assert.deepEqual([...t.read(a), ...t.read(b)], [11, 22, 9, 18]);
			program.close();
			release([a, b]);
		});

		it("sees through a reshape of a parameter that is updated", () => {
			const a = t.parameter("a", t.tensor([1, 2, 3, 4]));
			const view = a.reshape([2, 2]);
			const program = t.compile({ view, later: view.sum(0) }, [t.assign(a, a.mul(2))], lowering);
			const { view: seen, later } = program.run();
			assert.deepEqual([...seen.data, ...later.data], [1, 2, 3, 4, 4, 6]);
			assert.deepEqual([...t.read(a)], [2, 4, 6, 8]);
			program.close();
			release([a]);
		});

		it("can differentiate two losses of the same logits", () => {
			const logits = t.input("logits", [3, 5]);
			const targets = t.tensor(Int32Array.of(0, 4, 2));
			const loss = t.crossEntropy(logits, targets);
			const [once] = t.grad(loss, [logits]) as [t.Tensor];
			const [thrice] = t.grad(loss.mul(3), [logits]) as [t.Tensor];
			const program = t.compile({ loss, once, thrice }, [], lowering);
			const result = program.run({ logits: random(15, 1) });
			assertClose(
				result.thrice.data,
				result.once.data.map((g) => 3 * g),
			);
			program.close();
		});

		for (const [name, lossOf] of Object.entries(lossesOfReadLogits))
			it(`keeps the logits for whatever reads them beside the loss: ${name}`, () => {
				const [x, w, bias] = [t.input("x", [2, 3, 5]), t.input("w", [7, 5]), t.input("bias", [7])];
				const logits = t.linear(x, w, { bias });
				const outputs = lossOf(logits, t.input("y", [2, 3], "i32"));
				const [gradient] = t.grad(outputs.loss, [bias]) as [t.Tensor];
				const feeds = { x: random(30, 1), w: random(35, 2), bias: random(7, 3), y: ids(6, 7) };
				const both = t.compile<string>({ ...outputs, gradient }, [], lowering);
				const alone = t.compile<string>(outputs, [], lowering);
				const [result, expected] = [both.run(feeds), alone.run(feeds)];
				for (const name of Object.keys(outputs)) assertClose(result[name]!.data, expected[name]!.data);
				const direction = random(7, 4);
				const along = (step: number) =>
					alone.run({ ...feeds, bias: feeds.bias.map((b, i) => b + step * direction[i]!) }).loss!.item();
				const analytic = result.gradient!.data.reduce((sum, g, i) => sum + g * direction[i]!, 0);
				assert.ok(Math.abs((along(1e-2) - along(-1e-2)) / 2e-2 - analytic) < 2e-3, `${analytic}`);
				both.close();
				alone.close();
			});
	});

	describe(`training: ${lowering.name}`, () => {
		for (const optimizer of ["adamw", "muon"] as const) {
			it(`lowers the loss of a small model with ${optimizer}`, () => {
				const losses = trainTiny(60, optimizer, lowering);
				assert.ok(losses.at(-1)! < 0.3 * losses[0]!, `${losses[0]} → ${losses.at(-1)}`);
			});
			it(`gives the same losses bit for bit with ${optimizer}`, () => {
				assert.deepEqual(trainTiny(12, optimizer, lowering), trainTiny(12, optimizer, lowering));
			});
		}
	});

	describe(`memory: ${lowering.name}`, () => {
		it("does not grow from step to step", () => {
			trainTiny(50, "adamw", lowering);
			const before = process.memoryUsage().rss;
			trainTiny(1000, "adamw", lowering);
			const grown = (process.memoryUsage().rss - before) / 1e6;
			assert.ok(grown < 30, `grew by ${grown} MB over 1,000 steps`);
		});

		it("of a program is freed when it is closed", () => {
			const x = t.input("x", [512, 512]);
			const values = new Float32Array(x.size);
			const once = () => {
				const program = t.compile({ y: t.exp(x).add(t.softmax(x)).sum() }, [], lowering);
				program.run({ x: values });
				program.close();
			};
			for (let i = 0; i < 20; i++) once();
			const before = process.memoryUsage().rss;
			for (let i = 0; i < 200; i++) once();
			const grown = (process.memoryUsage().rss - before) / 1e6;
			assert.ok(grown < 100, `200 programs of 3 MB left ${grown} MB behind`);
		});

		it("of parameters is counted, and freed when they are released", () => {
			const before = storedBytes();
			const w = t.parameter("w", t.ones([100, 10]));
			const program = t.compile({ y: w.sum() }, [], lowering);
			assert.equal(storedBytes() - before, 4000);
			assert.equal(program.run().y.item(), 1000);
			program.close();
			release([w]);
			assert.equal(storedBytes(), before);
		});
	});
}

it("what open programs have reserved and not touched yet is not free for another", () => {
	const half = process.availableMemory() * 0.55;
	const x = t.input("x", [1]);
	const program = () =>
		t.compile({
			y: t
				.broadcastTo(x, [Math.ceil(half / 4 / 1024), 1024])
				.square()
				.sum(),
		});
	const first = program();
	assert.throws(program, /the activations need [\d.]+ GB, and [\d.]+ GB of cpu memory are free/);
	first.close();
	program().close();
});

describe("the memory of a run", { skip: process.platform !== "linux" && "no /proc" }, () => {
	for (const mode of [["kernels"], ["portable"], ["kernels", "two programs"]]) {
		it(`is forecast within 5% of its peak before the first step: ${mode.join(", ")}`, () => {
			const program = join(import.meta.dirname, "peak-memory.ts");
			const said = execFileSync(process.execPath, [program, ...mode], { encoding: "utf8" });
			const [forecast, peak] = said.split(" ").map(Number) as [number, number];
			assert.ok(Math.abs(forecast / peak - 1) < 0.05, `${forecast / 1e6} MB forecast, ${peak / 1e6} MB used`);
		});
	}
});
