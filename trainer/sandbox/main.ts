/**
 * The program of the sandboxed process: loads train.ts, builds its model, lets it train on the batches that come down
 * the pipe, and writes the checkpoint. Clock, data and metric are in other processes (harness/), out of reach of
 * train.ts. Spawned by harness/sandboxed-process.ts, never by hand.
 */
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import koffi from "koffi";
import type { Batch, Model, StepReport, TrainingFile } from "../contract.ts";
import { Crash, reasonOf } from "../harness/crash.ts";
import { readBatch, send } from "../harness/protocol.ts";
import { describe, type EvaluationShape, refuseLookahead, saveCheckpoint } from "../tensor/checkpoint.ts";
import { configure, type DeviceName, input, memoryForecast, parameters } from "../tensor/index.ts";
import { shareLibrary } from "./library.ts";

const { values: options } = parseArgs({
	options: {
		file: { type: "string", default: "" },
		model: { type: "string", default: "" },
		device: { type: "string", default: "cpu" },
		threads: { type: "string", default: "1" },
		kernels: { type: "string" },
		seed: { type: "string", default: "1" },
		vocab: { type: "string", default: "0" },
		"eval-rows": { type: "string", default: "0" },
		"eval-length": { type: "string", default: "0" },
		harness: { type: "string", default: "0" },
	},
});
const name = basename(options.file);

exitWithParent();
printAtOnce();
try {
	const { device, threads, kernels } = options;
	configure({ device: device as DeviceName, threads: Number(threads), kernels });
	const file = pathToFileURL(options.file).href;
	shareLibrary(file);
	run(checkExports(await import(file)));
} catch (error) {
	console.error(error);
	send({ type: "crash", reason: reasonOf(error, name) });
}

function run(file: TrainingFile): void {
	const vocabSize = Number(options.vocab);
	const model = file.build(vocabSize, Number(options.seed));
	if (typeof model?.logits !== "function")
		throw new Crash(`build() in ${name} returned no model: logits(tokens) is missing`);
	const { rows, length } = file.batch;
	const parameters = countParameters(model, rows, length);
	const evaluation = { rows: Number(options["eval-rows"]), length: Number(options["eval-length"]), vocabSize };
	refuseLookahead(checkEvaluation(model, evaluation));
	send({ type: "ready", rows, length, parameters });

	file.train(model, batches(), report);
	send({ type: "trained" });

	saveCheckpoint(options.model, (tokens) => model.logits(tokens), evaluation);
	send({ type: "saved", peakMb: peakMb() });
}

/** Finds a model that cannot be measured before the clock starts, not after the budget is spent. */
function checkEvaluation(model: Model, shape: EvaluationShape) {
	try {
		return describe((tokens) => model.logits(tokens), shape);
	} catch (error) {
		const { rows, length } = shape;
		throw new Crash(`${reasonOf(error, name)}; the metric asks for the logits of ${rows} x ${length} tokens`);
	}
}

/** Of the process on the CPU; on a GPU what its programs hold there, which is allocated once and known. */
function peakMb(): number {
	return options.device === "cpu" ? process.resourceUsage().maxRSS / 1024 : memoryForecast() / 2 ** 20;
}

function checkExports(exported: Partial<TrainingFile>): TrainingFile {
	const { batch, build, train } = exported;
	const missing = (what: string) =>
		new Crash(`${name} does not export ${what}; contract.ts says what a training file exports`);
	if (!Number.isInteger(batch?.rows) || !Number.isInteger(batch?.length))
		throw missing("`batch`: { rows, length }, two whole numbers");
	if (typeof build !== "function") throw missing("the function `build`");
	if (typeof train !== "function") throw missing("the function `train`");
	return { batch: batch!, build, train };
}

/** Building the expression is cheap, and finds a wrong shape before the clock starts. */
function countParameters(model: Model, rows: number, length: number): number {
	const logits = model.logits(input("tokens", [rows, length], "i32"));
	return parameters(logits).reduce((sum, { size }) => sum + size, 0);
}

function* batches(): Generator<Batch> {
	for (;;) {
		send({ type: "next" });
		const batch = readBatch();
		if (!batch) return;
		yield batch;
	}
}

function report({ loss, lrMultiplier = 1 }: StepReport): void {
	send({ type: "step", loss: String(loss), lrMultiplier });
}

/**
 * A synchronous train() cannot see the harness exit: the kernel kills this process then. PR_SET_PDEATHSIG is 1,
 * SIGKILL is 9 (prctl(2)).
 */
function exitWithParent(): void {
	if (process.platform !== "linux") return;
	const prctl = koffi.load(null).func("int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)");
	prctl(1, 9, 0, 0, 0);
	// The harness may have exited before the call above.
	if (process.ppid !== Number(options.harness)) process.exit(1);
}

/** Makes printing synchronous: the event loop does not run while train() does. */
function printAtOnce(): void {
	for (const stream of [process.stdout, process.stderr]) {
		const { _handle: handle } = stream as { _handle?: { setBlocking?(blocking: boolean): void } };
		handle?.setBlocking?.(true);
	}
}
