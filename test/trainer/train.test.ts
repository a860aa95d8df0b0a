/** train.ts as it stands keeps the contract with the harness, and learns. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Batch, StepReport } from "../../trainer/contract.ts";
import { ensureKernels } from "../../trainer/tensor/cpu/build.ts";
import { compile, configure, input } from "../../trainer/tensor/index.ts";
import { batch, build, train } from "../../trainer/train.ts";

const VOCABULARY = 64;
const kernels = await ensureKernels();
configure({ threads: 1, kernels: kernels.ok ? kernels.path : undefined });

/** Sequences in which each token decides the next: easy to learn, impossible to guess. */
function* batches(count: number): Generator<Batch> {
	const { rows, length } = batch;
	for (let index = 0; index < count; index++) {
		const tokens = new Int32Array(rows * length);
		for (let i = 0; i < tokens.length; i++) {
			tokens[i] = i % length === 0 ? (i / length + index * rows) % VOCABULARY : (5 * tokens[i - 1]! + 7) % VOCABULARY;
		}
		const targets = tokens.map((token) => (5 * token + 7) % VOCABULARY);
		yield { tokens, targets, index, progress: index / count, epoch: 1 };
	}
}

function run(seed: number, steps: number): number[] {
	const reports: StepReport[] = [];
	train(build(VOCABULARY, seed), batches(steps), (report) => reports.push(report));
	return reports.map(({ loss }) => loss);
}

describe("train.ts", () => {
	it("starts at the loss of a uniform guess and learns", () => {
		const losses = run(1, 12);
		assert.ok(Math.abs(losses[0]! - Math.log(VOCABULARY)) < 0.02, `the first loss is ${losses[0]}`);
		assert.ok(losses.at(-1)! < 0.7 * losses[0]!, `the last loss is ${losses.at(-1)}`);
	});

	it("gives the same losses for the same seed, and others for another", () => {
		const first = run(1, 3);
		assert.deepEqual(run(1, 3), first);
		assert.notDeepEqual(run(2, 3), first);
	});

	it("cannot look ahead: later tokens leave earlier logits as they are", () => {
		const model = build(VOCABULARY, 1);
		train(model, batches(2), () => {});
		const tokens = input("tokens", [2, 20], "i32");
		const program = compile({ logits: model.logits(tokens) });
		const ids = Int32Array.from({ length: 40 }, (_, i) => (i * 11) % VOCABULARY);
		const changed = ids.map((id, i) => (i % 20 >= 13 ? (id + 1) % VOCABULARY : id));
		const [before, after] = [ids, changed].map((ids) => program.run({ tokens: ids }).logits.data) as [
			Float32Array,
			Float32Array,
		];
		const upTo13 = 13 * VOCABULARY;
		assert.deepEqual(after.slice(0, upTo13), before.slice(0, upTo13));
		assert.notDeepEqual(after.slice(upTo13, upTo13 + VOCABULARY), before.slice(upTo13, upTo13 + VOCABULARY));
		program.close();
	});

	it("stops at once, in plain words, when the loss is no number any more", () => {
		const model = build(VOCABULARY, 1);
		const poisoned = {
			logits: (tokens: Parameters<typeof model.logits>[0]) => model.logits(tokens).mul(1e38).mul(1e38),
		};
		assert.throws(() => train(poisoned, batches(2), () => {}), /the loss is (NaN|Infinity): training diverged/);
	});
});
