/** Runs the real harness and the real evaluation on variants of the smallest training file, on a small corpus. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after } from "node:test";
import { prepareDataset } from "../../../prepare/dataset.ts";
import { folderOfStories } from "../../prepare/corpora.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** The training file people see first. */
export const TRAIN = join(ROOT, "trainer/train.ts");
const FIXTURE = join(import.meta.dirname, "fixtures/train.ts");
const VOCABULARY = 320;

const folder = mkdtempSync(join(tmpdir(), "autoresearch-harness-"));
after(() => rmSync(folder, { recursive: true, force: true }));

export const data = { source: folderOfStories(folder, 120), vocabSize: VOCABULARY };
export const dataset = await prepareDataset(data, { cacheDir: folder });

export interface Finished {
	code: number | null;
	stdout: string;
	stderr: string;
}

/** Replacements in the training file: text that must be there, and what stands in its place. */
export type Edits = Record<string, string>;

let labs = 0;

/** A folder with an edited training file and nothing else: the trainer is the program's own. */
export class Lab {
	readonly dir = join(folder, `lab-${labs++}`);
	readonly out = join(this.dir, "out");
	readonly file = join(this.dir, "trainer/train.ts");

	/** @param file the training file to edit; by default the smallest one */
	constructor(edits: Edits = {}, file = FIXTURE) {
		mkdirSync(join(this.dir, "trainer"), { recursive: true });
		let source = readFileSync(file, "utf8").replaceAll("../../../../trainer/", "./");
		for (const [before, now] of Object.entries(edits)) {
			if (!source.includes(before)) throw new Error(`the training file has no "${before}"`);
			source = source.replace(before, () => now);
		}
		writeFileSync(this.file, source);
	}

	/** The line of the training file that holds `text`, as errors name it. */
	place(text: string): string {
		const lines = readFileSync(this.file, "utf8").split("\n");
		return `train.ts:${lines.findIndex((line) => line.includes(text)) + 1}`;
	}

	/** What the training file printed. */
	get printed(): string {
		return readFileSync(join(this.out, "output.log"), "utf8");
	}

	json(name: string): Record<string, unknown> {
		return JSON.parse(readFileSync(join(this.out, name), "utf8"));
	}

	start(args: string[] = [], env: NodeJS.ProcessEnv = {}, stdin: "ignore" | "pipe" = "ignore"): ChildProcess {
		const command = ["harness/train-main.ts", "--file", this.file, ...this.#shared(), "--budget", "0.2", ...args];
		return this.#spawn(command, { ...process.env, ...env }, stdin);
	}

	train(args?: string[], env?: NodeJS.ProcessEnv): Promise<Finished> {
		return finished(this.start(args, env));
	}

	evaluate(args: string[] = []): Promise<Finished> {
		return finished(
			this.#spawn(["harness/evaluate.ts", "--model", join(this.out, "model"), ...this.#shared(), ...args], process.env),
		);
	}

	#shared(): string[] {
		const { source, vocabSize } = data;
		return ["--source", source, "--vocab", `${vocabSize}`, "--cache", folder, "--threads", "1", "--out", this.out];
	}

	#spawn([program, ...args]: string[], env: NodeJS.ProcessEnv, stdin: "ignore" | "pipe" = "ignore"): ChildProcess {
		return spawn(process.execPath, [join(ROOT, "trainer", program!), ...args], { env, stdio: [stdin, "pipe", "pipe"] });
	}
}

export async function finished(child: ChildProcess): Promise<Finished> {
	const code = new Promise<number | null>((resolve) => child.once("close", resolve));
	const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
	return { code: await code, stdout, stderr };
}
