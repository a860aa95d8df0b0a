/** How far a device's answers are from the CPU's. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeviceName } from "../../trainer/tensor/device/name.ts";
import type { Answer, Questions } from "./answers.ts";
import { runNode } from "./child.ts";

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
		const differences = ours.answers.map((answer, i) => differ(theirs.answers[i]!, answer));
		const [model, trajectory] = differences.splice(-2) as [Difference, Difference];
		const operations = Object.fromEntries(differences.map((difference, i) => [ours.names[i]!, difference]));
		return { device: theirs.device, operations, model, trajectory };
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/**
 * Every answer of a device. If a question ends the process, that is its answer, and another process continues after it.
 */
async function answersOf(device: DeviceName, folder: string): Promise<Questions & { answers: Answer[] }> {
	const path = join(folder, `${device}.jsonl`);
	const answers: Answer[] = [];
	for (;;) {
		rmSync(path, { force: true });
		const end = await runNode([join(import.meta.dirname, "answers.ts"), device, path, String(answers.length)]).then(
			() => undefined,
			(error: Error) => error,
		);
		if (end && !existsSync(path)) throw end;
		const [questions, ...more] = readFileSync(path, "utf8")
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line));
		answers.push(...more);
		const { names } = questions as Questions;
		if (answers.length < names.length) answers.push({ error: end?.message ?? "no answer" });
		if (answers.length === names.length) return { ...questions, answers };
	}
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
