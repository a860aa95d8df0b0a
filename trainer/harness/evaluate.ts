/**
 * Measures a trained model in bits per byte:
 *
 *     node trainer/harness/evaluate.ts --model results/demo/1/model --split val --threads 2 --out results/demo/1
 *
 * No code of the researcher's runs here: the checkpoint is weights and a forward graph as data. Prints a summary block,
 * leaves evaluation.json. A model that cannot be measured ends in one line on stderr, `crash: reason`, and exit 1.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { evaluationBatches } from "../../prepare/batches.ts";
import { type BitsPerByte, BitsPerByteSum } from "../../prepare/bits-per-byte.ts";
import { EVAL_BATCH_ROWS, SEQUENCE_LENGTH } from "../../prepare/constants.ts";
import type { Dataset, SplitName } from "../../prepare/dataset.ts";
import { loadCheckpoint, type Scorer } from "../tensor/checkpoint.ts";
import { lookaheadProblem } from "../tensor/dependence/lookahead.ts";
import { type DeviceOptions, TensorError } from "../tensor/index.ts";
import { oneLine } from "../tensor/text.ts";
import { probedLosses } from "./causality.ts";
import { Crash } from "./crash.ts";
import { deviceFor, openPrepared, runMain } from "./main.ts";
import { parseEvaluateOptions } from "./options.ts";
import { summaryBlock } from "./output.ts";

await runMain(async () => {
	const options = parseEvaluateOptions(process.argv.slice(2));
	const dataset = openPrepared(options);
	const device = await deviceFor(options);
	const started = performance.now();
	const model = open(options.model, device, dataset.vocabSize);
	const result = measure(model, dataset, options.split);
	model.close();
	const seconds = (performance.now() - started) / 1000;

	const { value, tokens, bytes } = result;
	const metric = `${options.split}_bpb`;
	mkdirSync(options.out, { recursive: true });
	const facts = { [metric]: value, split: options.split, tokens, bytes, seconds };
	writeFileSync(join(options.out, "evaluation.json"), `${JSON.stringify(facts, null, "\t")}\n`);
	process.stdout.write(
		summaryBlock({
			[metric]: value.toFixed(6),
			eval_tokens: String(tokens),
			eval_bytes: String(bytes),
			eval_seconds: seconds.toFixed(1),
		}),
	);
});

function open(dir: string, device: DeviceOptions, vocabSize: number): Scorer {
	let model: Scorer;
	try {
		model = loadCheckpoint(dir, device);
	} catch (error) {
		throw new Crash(`the checkpoint is missing or not valid: ${oneLine((error as Error).message)}`);
	}
	const found = [model.rows, model.length, model.vocabSize].join(" x ");
	const expected = [EVAL_BATCH_ROWS, SEQUENCE_LENGTH, vocabSize].join(" x ");
	if (found !== expected) throw new Crash(`the checkpoint's logits are ${found}; the metric needs ${expected}`);
	return model;
}

function measure(model: Scorer, dataset: Dataset, split: SplitName): BitsPerByte {
	const { verdict, where } = model.lookahead;
	if (where) throw new Crash(lookaheadProblem(where));
	const sum = new BitsPerByteSum(dataset.tokenBytes);
	try {
		const batches = [...evaluationBatches(dataset, split)];
		// What is proven need not be tried.
		const probed = verdict === "unknown" ? probedLosses(model, batches, dataset.vocabSize) : undefined;
		for (const [i, { tokens, targets }] of batches.entries())
			sum.add(probed?.[i] ?? model.losses(tokens, targets), targets);
	} catch (error) {
		throw error instanceof TensorError ? new Crash(`the model cannot be measured: ${error.message}`) : error;
	}
	if (!Number.isFinite(sum.result.value)) throw new Crash("the trained model's loss is not finite");
	return sum.result;
}
