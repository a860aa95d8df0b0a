/** What train-main.ts and evaluate.ts share: error handling, opening the dataset, choosing the device. */
import { type Dataset, openDataset, PrepareError } from "../../prepare/dataset.ts";
import { ensureKernels } from "../tensor/cpu/build.ts";
import { chooseDevice, DeviceError } from "../tensor/device/choice.ts";
import { isDeviceName } from "../tensor/device/name.ts";
import type { DeviceOptions } from "../tensor/index.ts";
import { Crash } from "./crash.ts";
import { UsageError } from "./options.ts";

/** Runs `main`; a failure that has an explanation ends in one line on stderr: exit 1 for a crash, 2 for a mistake. */
export async function runMain(main: () => Promise<void> | void): Promise<void> {
	try {
		await main();
	} catch (error) {
		if (error instanceof Crash) exit(1, `crash: ${error.message}`);
		if (error instanceof UsageError || error instanceof PrepareError || error instanceof DeviceError)
			exit(2, error.message);
		throw error;
	}
}

/** The prepared dataset. Neither program prepares data, so that no run is measured on data made during it. */
export function openPrepared(options: { source: string; vocabSize: number; cacheDir?: string }): Dataset {
	const dataset = openDataset(options, options);
	if (!dataset)
		throw new UsageError(`the data of ${options.source} is not prepared, or has changed: run autoresearch prepare`);
	return dataset;
}

/**
 * What to compute with. CPU kernels are compiled here, on first use, because the process train.ts runs in may neither
 * start a compiler nor write to the cache; without them ggml's own operations are used, and the reason is printed.
 */
export async function deviceFor({
	device: wanted,
	threads,
}: {
	device: string;
	threads: number;
}): Promise<DeviceOptions> {
	// A named device was probed by the caller; probing again would spawn a process that loads its driver.
	const device = isDeviceName(wanted) ? wanted : (await chooseDevice(wanted)).device;
	if (device !== "cpu") return { device, threads };
	const kernels = await ensureKernels();
	if (kernels.ok) return { device, threads, kernels: kernels.path };
	process.stdout.write(`computing with ggml's own operations, which are slower: ${kernels.reason}\n`);
	return { device, threads };
}

function exit(code: number, line: string): never {
	process.stderr.write(`${line}\n`);
	process.exit(code);
}
