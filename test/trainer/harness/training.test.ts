/** Whole runs of the harness and the evaluation on small training files. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { dataset, Lab, TRAIN } from "./harness.ts";

const STEP = "const lrMultiplier = 1 - progress;";

test("a run trains for its budget and leaves a model that is better than chance", async () => {
	const lab = new Lab();
	const { code, stdout, stderr } = await lab.train();
	assert.equal(stderr, "");
	assert.equal(code, 0);

	const { trainSeconds, steps, tokens, parameters, epochs, peakMemoryMb } = lab.json("training.json") as Record<
		string,
		number
	>;
	assert.ok(trainSeconds! >= 0.2, "batches came until the budget was spent");
	assert.equal(tokens, steps! * 8 * 32);
	assert.equal(parameters, 320 * 320);
	assert.ok(epochs! >= 1 && peakMemoryMb! > 20);

	const [first, progress] = stdout.split("\n");
	assert.equal(first, "training 0.1M parameters for 0.2 s, 8 x 32 tokens a batch");
	const line = [
		/\rstep \d{5} \(\d+\.\d%\)/,
		/loss: \d+\.\d{6}/,
		/lrm: \d\.\d\d/,
		/dt: \d+ms/,
		/tok\/sec: [\d,]+/,
		/epoch: \d+/,
		/remaining: \d+s {4}/,
	];
	assert.match(progress!, new RegExp(`^(${line.map(({ source }) => source).join(" \\| ")})+$`));
	const summary = [
		/\n---/,
		/training_seconds: \d+\.\d/,
		/total_seconds: {4}\d+\.\d/,
		/peak_vram_mb: {5}\d+\.\d/,
		/total_tokens_M: {3}\d+\.\d/,
		/num_steps: {8}\d+/,
		/num_params_M: {5}0\.1\n$/,
	];
	assert.match(stdout, new RegExp(summary.map(({ source }) => source).join("\\n")));

	const measured = await lab.evaluate();
	assert.equal(measured.stderr, "");
	const { val_bpb, bytes } = lab.json("evaluation.json") as Record<string, number>;
	assert.match(measured.stdout, new RegExp(`^---\nval_bpb: {10}${val_bpb!.toFixed(6)}\neval_tokens: `));
	const uniform = (Math.log2(320) * dataset.split("val").counts.tokens) / dataset.split("val").counts.bytes;
	assert.ok(val_bpb! > 0 && val_bpb! < 0.9 * uniform, `${val_bpb} bits per byte, ${uniform} untrained`);
	assert.ok(bytes! <= dataset.split("val").counts.bytes);
});

test("the training file of this repository trains, and its model is measured and does not look ahead", async () => {
	const lab = new Lab(
		{ "const DEPTH = 3": "const DEPTH = 2", "const DEVICE_BATCH_SIZE = 8": "const DEVICE_BATCH_SIZE = 2" },
		TRAIN,
	);
	const trained = await lab.train(["--budget", "2"]);
	assert.equal(trained.stderr, "");
	const measured = await lab.evaluate();
	assert.equal(measured.stderr, "");
	assert.match(measured.stdout, /^---\nval_bpb: {10}\d\.\d{6}\n/);
});

test("evaluating twice gives the same number, and the test split another one", async () => {
	const lab = new Lab();
	await lab.train();
	const numbers = [await lab.evaluate(), await lab.evaluate()].map(({ stdout }) => /val_bpb: +(\S+)/.exec(stdout)?.[1]);
	assert.equal(numbers[0], numbers[1]);
	const test = await lab.evaluate(["--split", "test"]);
	assert.match(test.stdout, /^---\ntest_bpb: {9}\d\.\d{6}\n/);
	assert.notEqual(/test_bpb: +(\S+)/.exec(test.stdout)?.[1], numbers[0]);
});

test("progress begins at 0, never goes back and ends before 1; batches are numbered", async () => {
	const lab = new Lab({
		"{ tokens, targets, progress } of": "{ tokens, targets, progress, index } of",
		[STEP]: `${STEP}\n\t\tconsole.log(index, progress);`,
	});
	await lab.train();
	const seen = lab.printed
		.trim()
		.split("\n")
		.map((line) => line.split(" ").map(Number));
	assert.deepEqual(
		seen.map(([index]) => index),
		seen.map((_, i) => i),
	);
	const progress = seen.map(([, p]) => p!);
	assert.equal(progress[0], 0);
	assert.deepEqual(
		progress,
		progress.toSorted((a, b) => a - b),
	);
	assert.ok(progress.at(-1)! < 1);
});

test("the same seed gives the same batches and another seed others", async () => {
	const first = async (seed: string) => {
		const lab = new Lab({ [STEP]: `${STEP}\n\t\tconsole.log(tokens.join(), targets.join());` });
		await lab.train(["--seed", seed, "--budget", "0.1"]);
		return lab.printed.split("\n")[0];
	};
	const [one, again, two] = [await first("1"), await first("1"), await first("2")];
	assert.ok(one);
	assert.equal(one, again);
	assert.notEqual(one, two);
});

test("a run that says nothing about its loss still finishes", async () => {
	const lab = new Lab({ "report({ loss:": "void ({ loss:" });
	assert.equal((await lab.train()).code, 0);
	assert.equal(lab.json("training.json").finalLoss, undefined);
});

test("training again in the same folder leaves nothing of the run before", async () => {
	const lab = new Lab({ [STEP]: `${STEP}\n\t\tprocess.exit(3);` });
	const whole = new Lab();
	await whole.train();
	await lab.train(["--out", whole.out]);
	assert.deepEqual(readdirSync(join(whole.out, "model")), []);
	assert.match((await whole.evaluate()).stderr, /^crash: the checkpoint is missing or not valid: [^\n]+\n$/);
});

test("a command line that cannot be obeyed is explained, with exit 2", async () => {
	const lab = new Lab();
	const refused = async (args: string[], message: RegExp) => {
		const { code, stderr } = await lab.train(args);
		assert.match(stderr, message);
		assert.equal(code, 2);
	};
	await refused(["--budget", "soon"], /^--budget is a number of at least 0.1, not "soon"\n$/);
	await refused(["--device", "abacus"], /^--device is auto, cpu, cuda, .*, not "abacus"\n$/);
	await refused(["--speed"], /^Unknown option '--speed'/);
	await refused(["--vocab", "4096"], /^the data of .* is not prepared, or has changed: run autoresearch prepare\n$/);
});
