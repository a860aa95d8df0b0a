/** train.ts as it stands keeps the contract with the harness, and learns. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { Batch, StepReport, TrainingFile } from "../../trainer/contract.ts";
import { ensureKernels } from "../../trainer/tensor/cpu/build.ts";
import { compile, configure, input } from "../../trainer/tensor/index.ts";
import { batch, build, train } from "../../trainer/train.ts";
import { tempDir } from "../support/lab.ts";

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

/** train.ts with other constants, on the same library. */
async function variant(t: TestContext, edits: Record<string, string>): Promise<TrainingFile> {
	const trainer = join(import.meta.dirname, "../../trainer");
	let source = readFileSync(join(trainer, "train.ts"), "utf8").replaceAll('"./', `"${pathToFileURL(trainer)}/`);
	for (const [before, now] of Object.entries(edits)) {
		assert.ok(source.includes(before), `train.ts has no "${before}"`);
		source = source.replace(before, now);
	}
	// No package.json says there that it is a module.
	const path = join(tempDir(t), "train.mts");
	writeFileSync(path, source);
	return import(pathToFileURL(path).href);
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

	it("takes the step of one large batch when it gathers the gradients of small ones", async (t) => {
		const whole = [...batches(2)];
		const quarters = whole.flatMap(({ tokens, targets, ...rest }) =>
			[0, 1, 2, 3].map((part) => {
				const [from, to] = [part, part + 1].map((edge) => (edge * tokens.length) / 4);
				return { ...rest, tokens: tokens.slice(from, to), targets: targets.slice(from, to) };
			}),
		);
		const gathering = await variant(t, {
			"const DEVICE_BATCH_SIZE = 8": "const DEVICE_BATCH_SIZE = 2",
			"GRAD_ACCUM_STEPS: number = 1": "GRAD_ACCUM_STEPS: number = 4",
		});
		const losses: [number[], number[]] = [[], []];
		train(build(VOCABULARY, 1), whole, ({ loss }) => losses[0].push(loss));
		gathering.train(gathering.build(VOCABULARY, 1), quarters, ({ loss }) => losses[1].push(loss));
		assert.equal(losses[1].length, 2);
		for (const [i, loss] of losses[0].entries()) assert.ok(Math.abs(loss - losses[1][i]!) < 2e-3, `${losses}`);
		assert.ok(losses[0][1]! < losses[0][0]! - 0.01, "and the second loss shows the first step");
	});

	it("takes sequences of odd length with short windows", async (t) => {
		const odd = await variant(t, {
			"const MAX_SEQ_LEN = 256": "const MAX_SEQ_LEN = 129",
			'"S" = "L"': '"S" = "SL"',
		});
		const { rows, length } = odd.batch;
		const tokens = input("tokens", [rows, length], "i32");
		assert.deepEqual(odd.build(VOCABULARY, 1).logits(tokens).shape, [rows, 129, VOCABULARY]);
	});

	it("refuses to leave a parameter untrained because it was given no optimizer group", async (t) => {
		const edit = { 'parameter("scalar", "token_shift", nn.zeros': 'nn.parameter("token_shift", nn.zeros' };
		const file = await variant(t, edit);
		const training = () => file.train(file.build(VOCABULARY, 1), batches(1), () => {});
		assert.throws(training, /no optimizer steps token_shift: make it with parameter\(group, name, initial\)/);
	});

	it("stops at once, in plain words, when the loss is no number any more", () => {
		const model = build(VOCABULARY, 1);
		const poisoned = {
			...model,
			logits: (tokens: Parameters<typeof model.logits>[0]) => model.logits(tokens).mul(1e38).mul(1e38),
		};
		assert.throws(() => train(poisoned, batches(2), () => {}), /the loss is (NaN|Infinity): training diverged/);
	});
});
