/**
 * Checks a GPU: its results against the CPU's, its speed, its memory, and a real training run. Prints one table and
 * writes one JSON report.
 *
 *     npm run check:gpu                                    the best GPU of this machine
 *     npm run check:gpu -- --device vulkan                 another; without a GPU, Vulkan's software device
 *     npm run check:gpu -- --seconds 60 --sizes 3 --out report.json
 *
 * Exits with 1 when the device computes something else than the CPU, cannot train, or uses more memory than was
 * forecast; the report is written all the same.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { prepareDataset } from "../../prepare/dataset.ts";
import { chooseDevice } from "../../trainer/tensor/device/choice.ts";
import { runNode } from "./child.ts";
import { compareWithCpu, type Difference } from "./compare.ts";
import { line, memoryFailure } from "./figures.ts";
import type { Throughput } from "./throughput.ts";

const { values } = parseArgs({
	options: {
		device: { type: "string", default: "auto" },
		seconds: { type: "string", default: "60" },
		out: { type: "string", default: "check-gpu.json" },
		file: { type: "string", default: join(import.meta.dirname, "../../trainer/train.ts") },
		sizes: { type: "string" },
	},
});

/**
 * Width, layers, heads, tokens, sequences, vocabulary: tiny, train.ts's own, and Karpathy's model with a small batch.
 */
const SIZES = [
	[32, 2, 4, 32, 2, 64],
	[128, 4, 4, 256, 8, 4096],
	[512, 8, 4, 2048, 8, 8192],
];

/**
 * Factors of 10 to 16 bits (TF32, f16) lose up to 2^-11 of each product; a gradient near zero is a small difference of
 * such.
 */
const TOLERANCES = { operation: 2e-3, model: 3e-2, trajectory: 1e-3 };

const isInRange = (text: string, least: number, most: number) => Number(text) >= least && Number(text) <= most;
if (values.sizes !== undefined && !(isInRange(values.sizes, 1, SIZES.length) && Number.isInteger(Number(values.sizes))))
	refuse(`--sizes is 1 to ${SIZES.length}, not "${values.sizes}"`);
if (!isInRange(values.seconds, 1, 86_400)) refuse(`--seconds is 1 to 86400, not "${values.seconds}"`);

const root = join(import.meta.dirname, "../..");
const { device, description, passedOver } = await chooseDevice(values.device).catch((error: Error) =>
	refuse(error.message),
);
for (const reason of passedOver) console.log(`not on ${reason}`);
if (device === "cpu") {
	refuse("there is no GPU to check: autoresearch doctor says what is missing; --device vulkan takes the software one");
}

const isSoftware = device === "vulkan:software";
/** The larger sizes would take an hour on a software device. */
const sizes = SIZES.slice(0, Number(values.sizes ?? (isSoftware ? 1 : SIZES.length)));
const failures: string[] = [];
console.log(`${device}: ${description}`);
const comparison = await part("comparing with the CPU", () => compareWithCpu(device));
const worst = comparison && judge("operations and their gradients", comparison.operations, TOLERANCES.operation);
if (comparison) {
	judge("a model's loss and gradients", { model: comparison.model }, TOLERANCES.model);
	judge("eight steps of Muon and AdamW", { trajectory: comparison.trajectory }, TOLERANCES.trajectory);
}

const throughput: Throughput[] = [];
for (const size of sizes) {
	const figures = await part(`throughput of ${size.join(" ")}`, () => measure(size));
	if (!figures) continue;
	throughput.push(figures);
	console.log(line(figures));
	const failure = memoryFailure(figures);
	if (failure) failures.push(failure);
}

const training = isSoftware ? undefined : await part(`${values.seconds} s of training`, train);
if (training)
	console.log(`${values.seconds} s of training: ${training.steps} steps, val_bpb ${training.val_bpb.toFixed(6)}`);
if (isSoftware)
	console.log(
		"no training of train.ts: a step takes minutes on a software device; the tests train a smaller file there",
	);

const report = {
	device,
	description,
	tolerances: TOLERANCES,
	comparison,
	worst,
	throughput,
	training,
	failures,
};
writeFileSync(values.out, `${JSON.stringify(report, null, "\t")}\n`);
for (const failure of failures) console.log(`FAILED  ${failure}`);
const outcome = failures.length === 0 ? "all is well" : `${failures.length} failure${failures.length === 1 ? "" : "s"}`;
console.log(`${outcome}; the report is ${values.out}`);
process.exitCode = failures.length === 0 ? 0 : 1;

function refuse(message: string): never {
	console.error(message);
	process.exit(2);
}

/** One part of the check. An error in it is recorded as a failure, and the other parts run. */
async function part<T>(what: string, action: () => Promise<T>): Promise<T | undefined> {
	try {
		return await action();
	} catch (error) {
		failures.push(`${what}: ${(error as Error).message}`);
		return undefined;
	}
}

async function measure(size: number[]): Promise<Throughput> {
	const stdout = await runNode([join(import.meta.dirname, "throughput.ts"), device, JSON.stringify(size)]);
	return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

function judge(what: string, differences: Record<string, Difference>, tolerance: number): number {
	let largest = 0;
	for (const [name, { error, reason }] of Object.entries(differences)) {
		if (!(error <= tolerance)) failures.push(`${name}: ${reason ?? `differs by ${error}`}`);
		if (error > largest) largest = error;
	}
	console.log(
		`${what}: ${Object.keys(differences).length}, largest difference from the CPU ${largest.toExponential(1)}`,
	);
	return largest;
}

/** The real training and the real evaluation. */
async function train() {
	await prepareDataset({ source: "sotu", vocabSize: 4096 });
	const out = mkdtempSync(join(tmpdir(), "autoresearch-gpu-"));
	try {
		const shared = ["--device", device, "--out", out];
		const budget = ["--file", values.file, "--budget", values.seconds];
		await runNode([join(root, "trainer/harness/train-main.ts"), ...budget, ...shared]);
		await runNode([join(root, "trainer/harness/evaluate.ts"), "--model", join(out, "model"), ...shared]);
		const read = (name: string) => JSON.parse(readFileSync(join(out, name), "utf8"));
		return { ...read("training.json"), ...read("evaluation.json") } as { steps: number; val_bpb: number };
	} finally {
		rmSync(out, { recursive: true });
	}
}
