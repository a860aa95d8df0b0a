/**
 * Proves a GPU: what it computes against the CPU, how fast, how much memory, and a real training run. One table, and one
 * JSON report for who was not there.
 *
 *     npm run check:gpu                                    the best GPU of this machine
 *     npm run check:gpu -- --device vulkan                 another; without a GPU, Vulkan's software device
 *     npm run check:gpu -- --seconds 60 --sizes 3 --out report.json
 *
 * Exits with 1 when the device computes something else than the CPU, cannot train, or uses more memory than was forecast.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { prepareDataset } from "../../prepare/dataset.ts";
import { chooseDevice } from "../../trainer/tensor/device-choice.ts";
import { compareWithCpu, type Difference } from "./compare.ts";
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

/** Width, layers, heads, tokens, sequences, vocabulary: tiny, train.ts's own, and Karpathy's model with a small batch. */
const SIZES = [
	[32, 2, 4, 32, 2, 64],
	[128, 4, 4, 256, 8, 4096],
	[512, 8, 4, 2048, 8, 8192],
];

/** Factors of 10 to 16 bits (TF32, f16) lose up to 2^-11 of each product; a gradient near zero is a small difference of such. */
const TOLERANCES = { operation: 2e-3, model: 3e-2, trajectory: 1e-3 };
/** Of the measured peak over the forecast: drivers keep some memory for themselves. */
const MEMORY_MARGIN = 1.1;

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const { device, passedOver } = await chooseDevice(values.device);
for (const reason of passedOver) console.log(`not on ${reason}`);
if (device === "cpu") {
	console.error(
		"there is no GPU to check: autoresearch doctor says what is missing; --device vulkan takes the software one",
	);
	process.exit(2);
}

const isSoftware = device === "vulkan:software";
/** A software device would need an hour for the larger ones. */
const sizes = SIZES.slice(0, Number(values.sizes ?? (isSoftware ? 1 : SIZES.length)));
const failures: string[] = [];
const comparison = await compareWithCpu(device);
console.log(`${device}: ${comparison.device}`);
const worst = judge("operations and their gradients", comparison.operations, TOLERANCES.operation);
judge("a model's loss and gradients", { model: comparison.model }, TOLERANCES.model);
judge("eight steps of Muon and AdamW", { trajectory: comparison.trajectory }, TOLERANCES.trajectory);

const throughput: Throughput[] = [];
for (const size of sizes) {
	const { stdout } = await run(process.execPath, [
		join(import.meta.dirname, "throughput.ts"),
		device,
		JSON.stringify(size),
	]);
	const figures: Throughput = JSON.parse(stdout.trim().split("\n").at(-1)!);
	throughput.push(figures);
	const { tokensPerSecond, milliseconds, ofPeak, peakGflops, forecastMb, usedMb } = figures;
	console.log(
		`${size.join(" ").padEnd(24)} ${tokensPerSecond.toFixed(0).padStart(9)} tok/s ${milliseconds.toFixed(1).padStart(9)} ms a step, ` +
			`${(100 * ofPeak).toFixed(0)}% of ${(peakGflops / 1e3).toFixed(2)} TFLOPS; memory forecast ${forecastMb.toFixed(0)} MB, used ${usedMb.toFixed(0)} MB`,
	);
	if (usedMb > forecastMb * MEMORY_MARGIN) failures.push(`${size}: ${usedMb} MB used, ${forecastMb} MB forecast`);
}

const training = isSoftware ? undefined : await train();
console.log(
	training
		? `${values.seconds} s of training: ${training.steps} steps, val_bpb ${training.val_bpb.toFixed(6)}`
		: "no training of train.ts: a step takes minutes on a software device (test/trainer/devices trains a smaller file there)",
);

const report = {
	device,
	description: comparison.device,
	tolerances: TOLERANCES,
	comparison,
	worst,
	throughput,
	training,
	failures,
};
writeFileSync(values.out, `${JSON.stringify(report, null, "\t")}\n`);
for (const failure of failures) console.log(`FAILED  ${failure}`);
console.log(`${failures.length === 0 ? "all is well" : `${failures.length} failures`}; the report is ${values.out}`);
process.exitCode = failures.length === 0 ? 0 : 1;

function judge(what: string, differences: Record<string, Difference>, tolerance: number): number {
	let largest = 0;
	for (const [name, { error, reason }] of Object.entries(differences)) {
		if (!(error <= tolerance)) failures.push(`${name}: ${reason ?? `differs by ${error}`}`);
		largest = Math.max(largest, error);
	}
	console.log(
		`${what}: ${Object.keys(differences).length}, largest difference from the CPU ${largest.toExponential(1)}`,
	);
	return largest;
}

/** The real worker and the real evaluation. */
async function train() {
	await prepareDataset({ source: "sotu", vocabSize: 4096 });
	const out = mkdtempSync(join(tmpdir(), "autoresearch-gpu-"));
	try {
		const shared = ["--device", device, "--out", out];
		const worker = ["worker.ts", "--file", values.file, "--budget", values.seconds, ...shared];
		await run(process.execPath, [join(root, "trainer", worker[0]!), ...worker.slice(1)]);
		await run(process.execPath, [join(root, "trainer/evaluate.ts"), "--model", join(out, "model"), ...shared]);
		const read = (name: string) => JSON.parse(readFileSync(join(out, name), "utf8"));
		return { ...read("training.json"), ...read("evaluation.json") } as { steps: number; val_bpb: number };
	} finally {
		rmSync(out, { recursive: true });
	}
}
