/** What worker.ts and evaluate.ts share: how they begin and how they end. */
import { type Dataset, openDataset, PrepareError } from "../prepare/dataset.ts";
import { Crash } from "./crash.ts";
import { UsageError } from "./options.ts";

/** Runs `main`; a failure that has an explanation ends in one line on stderr: exit 1 for a crash, 2 for a mistake. */
export async function runProgram(main: () => Promise<void> | void): Promise<void> {
	try {
		await main();
	} catch (error) {
		if (error instanceof Crash) exit(1, `crash: ${error.message}`);
		if (error instanceof UsageError || error instanceof PrepareError) exit(2, error.message);
		throw error;
	}
}

/** The dataset, which must have been prepared: neither program makes data, so that no run measures on new one. */
export function openPrepared(options: { source: string; vocabSize: number; cacheDir?: string }): Dataset {
	const dataset = openDataset(options, options);
	if (!dataset)
		throw new UsageError(`the data of ${options.source} is not prepared, or has changed: run autoresearch prepare`);
	return dataset;
}

function exit(code: number, line: string): never {
	process.stderr.write(`${line}\n`);
	process.exit(code);
}
