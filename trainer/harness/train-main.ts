/**
 * Trains one train.ts for a fixed number of seconds:
 *
 *     node trainer/harness/train-main.ts --file trainer/train.ts --budget 30 --seed 1 --threads 2 --out results/demo/1
 *
 * This process is the harness: it owns the clock and the data. train.ts runs in another one (../sandbox/) that can
 * touch neither. Prints karpathy/autoresearch's progress line and summary; leaves training.json, output.log (what
 * train.ts printed) and model/ in the output folder. A run that fails ends in one line on stderr, `crash: reason`, and
 * exit 1; an invalid command line in exit 2.
 */
import { fstatSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deviceFor, openPrepared, runMain } from "./main.ts";
import { parseTrainOptions } from "./options.ts";
import { summaryBlock } from "./output.ts";
import { type TrainingResult, TrainingRun } from "./training-run.ts";

await runMain(async () => {
	const options = parseTrainOptions(process.argv.slice(2));
	const dataset = openPrepared(options);
	mkdirSync(options.out, { recursive: true });
	const run = new TrainingRun(options, dataset, await deviceFor(options), (text) => process.stdout.write(text));
	endWith(run);
	const result = await run.result;
	writeFileSync(join(options.out, "training.json"), `${JSON.stringify(result, null, "\t")}\n`);
	process.stdout.write(summary(result));
});

/** Ends the run with this process: on a signal, and when stdin closes because the console has died. */
function endWith(run: TrainingRun): void {
	const end = () => {
		run.kill();
		process.exit(130);
	};
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, end);
	const stdin = fstatSync(0);
	if (stdin.isFIFO() || stdin.isSocket()) process.stdin.once("end", end).resume().unref();
}

function summary(result: TrainingResult): string {
	return summaryBlock({
		training_seconds: result.trainSeconds.toFixed(1),
		total_seconds: result.totalSeconds.toFixed(1),
		peak_vram_mb: result.peakMemoryMb.toFixed(1),
		total_tokens_M: (result.tokens / 1e6).toFixed(1),
		num_steps: String(result.steps),
		num_params_M: (result.parameters / 1e6).toFixed(1),
	});
}
