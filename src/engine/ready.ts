/** What the built-in trainer needs before its first experiment, so that none of it counts against one. */
import { type PrepareProgress, prepareDataset } from "../../prepare/dataset.ts";
import { ensureKernels } from "../../trainer/tensor/cpu/build.ts";
import type { Lab } from "../lab/lab.ts";

export interface ReadyProgress extends Omit<PrepareProgress, "stage"> {
	stage: PrepareProgress["stage"] | "kernels";
}

/** A compiled kernel is found in milliseconds; only compiling is worth a word. */
const WORTH_A_WORD_MS = 400;

/**
 * Prepares the lab's data and, for the CPU, compiles the kernels. Both are there already but for the first time.
 * @returns what the human should know, such as why there are no kernels.
 */
export async function makeReady(
	{ data }: Lab,
	device: string,
	onProgress: (progress: ReadyProgress) => void,
): Promise<string | undefined> {
	await prepareDataset({ source: data.source, vocabSize: data.vocabulary }, { onProgress });
	if (device !== "cpu") return undefined;
	const note = "compiling for this CPU, once";
	const telling = setTimeout(() => onProgress({ stage: "kernels", done: 0, total: 1, note }), WORTH_A_WORD_MS);
	const kernels = await ensureKernels();
	clearTimeout(telling);
	return kernels.ok ? undefined : `computing with ggml's own operations, which are slower: ${kernels.reason}`;
}
