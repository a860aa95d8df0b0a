/** The command lines of train-main.ts and evaluate.ts, which the console writes. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { SPLITS, type SplitName } from "../../prepare/splits.ts";
import { isDeviceName } from "../tensor/device/name.ts";

/** An invalid command line; the process exits with 2. */
export class UsageError extends Error {
	override name = "UsageError";
}

interface SharedOptions {
	source: string;
	vocabSize: number;
	cacheDir?: string;
	seed: number;
	threads: number;
	/** `auto`, or a device's name. */
	device: string;
	/** Folder of the run, absolute: the checkpoint, the numbers and what train.ts prints go there. */
	out: string;
}

export interface TrainOptions extends SharedOptions {
	/** The training file, absolute. */
	file: string;
	/** Seconds. */
	budget: number;
	startupLimit: number;
	grace: number;
	/** Megabytes of memory at which the run is ended; by default nine tenths of the machine's. */
	memoryLimitMb?: number;
}

export interface EvaluateOptions extends SharedOptions {
	/** The checkpoint's folder, absolute. */
	model: string;
	split: SplitName;
}

const shared = {
	source: { type: "string", default: "sotu" },
	vocab: { type: "string", default: "4096" },
	cache: { type: "string" },
	seed: { type: "string", default: "1" },
	threads: { type: "string", default: "1" },
	device: { type: "string", default: "cpu" },
	out: { type: "string" },
} as const;

export function parseTrainOptions(args: string[]): TrainOptions {
	const { values } = parse(() =>
		parseArgs({
			args,
			options: {
				...shared,
				file: { type: "string" },
				budget: { type: "string", default: "300" },
				"startup-limit": { type: "string", default: "120" },
				grace: { type: "string", default: "10" },
				"memory-limit": { type: "string" },
			},
		}),
	);
	const memoryLimit = values["memory-limit"];
	return {
		...sharedOptions(values),
		file: resolve(required(values.file, "file")),
		budget: number(values.budget, "budget", 0.1),
		startupLimit: number(values["startup-limit"], "startup-limit", 0.1),
		grace: number(values.grace, "grace", 0.1),
		...(memoryLimit && { memoryLimitMb: number(memoryLimit, "memory-limit", 1) }),
	};
}

export function parseEvaluateOptions(args: string[]): EvaluateOptions {
	const { values } = parse(() =>
		parseArgs({
			args,
			options: {
				...shared,
				model: { type: "string" },
				split: { type: "string", default: "val" },
			},
		}),
	);
	const split = SPLITS.find((name) => name === values.split);
	if (!split) throw new UsageError(`--split is one of ${SPLITS.join(", ")}, not "${values.split}"`);
	const model = resolve(required(values.model, "model"));
	return { ...sharedOptions(values), model, split };
}

function sharedOptions(values: {
	source: string;
	vocab: string;
	cache?: string;
	seed: string;
	threads: string;
	device: string;
	out?: string;
}): SharedOptions {
	const { device } = values;
	if (device !== "auto" && !isDeviceName(device))
		throw new UsageError(`--device is auto, cpu, cuda, cuda:1, vulkan, vulkan:1 or metal, not "${device}"`);
	return {
		source: values.source,
		vocabSize: integer(values.vocab, "vocab"),
		...(values.cache && { cacheDir: resolve(values.cache) }),
		seed: integer(values.seed, "seed"),
		threads: integer(values.threads, "threads"),
		device,
		out: resolve(required(values.out, "out")),
	};
}

function parse<T>(parser: () => T): T {
	try {
		return parser();
	} catch (error) {
		throw new UsageError((error as Error).message);
	}
}

function required(value: string | undefined, name: string): string {
	if (value === undefined) throw new UsageError(`--${name} is missing`);
	return value;
}

function number(text: string, name: string, least: number): number {
	const value = Number(text);
	if (!Number.isFinite(value) || value < least)
		throw new UsageError(`--${name} is a number of at least ${least}, not "${text}"`);
	return value;
}

function integer(text: string, name: string): number {
	const value = number(text, name, 0);
	if (!Number.isInteger(value)) throw new UsageError(`--${name} is a whole number, not "${text}"`);
	return value;
}
