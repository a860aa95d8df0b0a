/** How far a device's answers are from the CPU's. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DeviceName } from "../../trainer/tensor/device-name.ts";
import type { Answer, Answers } from "./answers.ts";

export interface Difference {
	/** Largest difference over the largest magnitude, of the worst of its arrays; NaN when there is no answer. */
	error: number;
	/** Why there is no answer. */
	reason?: string;
}

export interface Comparison {
	device: string;
	operations: Record<string, Difference>;
	/** Loss and gradients of a whole model. */
	model: Difference;
	/** Losses of eight optimizer steps. */
	trajectory: Difference;
}

/** Has `device` and the CPU compute the same things, with ggml's own operations, and compares. */
export async function compareWithCpu(device: DeviceName): Promise<Comparison> {
	const folder = mkdtempSync(join(tmpdir(), "autoresearch-gpu-"));
	try {
		const [theirs, ours] = [await answersOf(device, folder), await answersOf("cpu", folder)];
		const operations = Object.entries(ours.operations).map(([name, answer]) => [
			name,
			differ(theirs.operations[name]!, answer),
		]);
		return {
			device: theirs.device,
			operations: Object.fromEntries(operations),
			model: differ(theirs.model, ours.model),
			trajectory: differ(theirs.trajectory, ours.trajectory),
		};
	} finally {
		rmSync(folder, { recursive: true });
	}
}

async function answersOf(device: DeviceName, folder: string): Promise<Answers> {
	const path = join(folder, "answers.json");
	await promisify(execFile)(process.execPath, [join(import.meta.dirname, "answers.ts"), device, path]);
	return JSON.parse(readFileSync(path, "utf8"));
}

function differ(theirs: Answer, ours: Answer): Difference {
	if (isError(theirs)) return { error: Number.NaN, reason: theirs.error };
	if (isError(ours)) return { error: Number.NaN, reason: `on the CPU: ${ours.error}` };
	const errors = Object.entries(ours).map(([name, expected]) => relativeError(theirs[name]!, expected));
	return { error: Math.max(...errors) };
}

function isError(answer: Answer): answer is { error: string } {
	return typeof (answer as { error?: unknown }).error === "string";
}

function relativeError(actual: number[], expected: number[]): number {
	const scale = expected.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1e-6);
	return expected.reduce((worst, x, i) => Math.max(worst, Math.abs(x - actual[i]!)), 0) / scale;
}
