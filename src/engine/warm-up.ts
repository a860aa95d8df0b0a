/** What the built-in trainer needs before its first experiment, so that none of it counts against one. */
import { rmSync } from "node:fs";
import { type PrepareProgress, prepareDataset } from "../../prepare/dataset.ts";
import { ensureKernels } from "../../trainer/tensor/cpu/build.ts";
import type { ExperimentDir } from "../journal/run-dir.ts";
import type { Lab } from "../lab/lab.ts";
import { Trainer, type TrainerOptions } from "../runner/trainer.ts";

export interface ReadyProgress extends Omit<PrepareProgress, "stage"> {
	stage: PrepareProgress["stage"] | "kernels";
}

/** Compiled kernels are found within milliseconds; progress is shown only when they must be compiled. */
const SHOW_AFTER_MS = 400;

/**
 * Prepares the lab's data and, for the CPU, compiles the kernels. Both are there already but for the first time.
 * @returns what the human should know, such as why there are no kernels.
 */
export async function prepareTrainer(
	{ data }: Lab,
	device: string,
	onProgress: (progress: ReadyProgress) => void,
): Promise<string | undefined> {
	await prepareDataset({ source: data.source, vocabSize: data.vocabulary }, { onProgress });
	if (device !== "cpu") return undefined;
	const note = "compiling for this CPU, once";
	const timer = setTimeout(() => onProgress({ stage: "kernels", done: 0, total: 1, note }), SHOW_AFTER_MS);
	const kernels = await ensureKernels();
	clearTimeout(timer);
	return kernels.ok ? undefined : `computing with ggml's own operations, which are slower: ${kernels.reason}`;
}

/** Compiling every kernel of a model takes a minute or two; a device that needs longer has another problem. */
const WARM_UP_LIMIT_SECONDS = 300;

/**
 * Trains the lab's own file on a GPU for two steps that are thrown away, so that its driver compiles the kernels
 * outside the baseline's budget; it keeps them for later runs. An error here is ignored: the baseline meets it too, and
 * reports it.
 * @param out a folder for what training leaves, removed in the end
 */
export async function warmUp(
	{ lab, ...options }: Omit<TrainerOptions, "budgetSeconds">,
	out: ExperimentDir,
	onProgress: (progress: ReadyProgress) => void,
): Promise<void> {
	onProgress({ stage: "kernels", done: 0, total: 0, note: "compiling the GPU's kernels, once" });
	const patient = { ...lab, timeout: WARM_UP_LIMIT_SECONDS };
	const trainer = new Trainer({ ...options, lab: patient, budgetSeconds: WARM_UP_LIMIT_SECONDS });
	const enough = new AbortController();
	try {
		await trainer.train(lab.dir, out, enough.signal, ({ step }) => {
			if (step > 0) enough.abort();
		});
	} catch (error) {
		if (!enough.signal.aborted) throw error;
	} finally {
		rmSync(out.path, { recursive: true, force: true });
	}
}
