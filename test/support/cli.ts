/** Runs the real program, as it is shipped: dist/src/bin.js, which `npm test` has just built. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import type { JournalEvent } from "../../src/journal/events.ts";

export const BIN = join(import.meta.dirname, "../../dist/src/bin.js");

export interface Outcome {
	code: number | null;
	signal: NodeJS.Signals | null;
	stdout: string;
	stderr: string;
}

export interface Running {
	child: ChildProcess;
	outcome: Promise<Outcome>;
}

/** Starts it; the process is ended with the test, whatever happens. */
export function start(
	t: TestContext,
	args: string[],
	options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Running {
	const env = { ...process.env, ...options.env };
	const child = spawn(process.execPath, [BIN, ...args], { cwd: options.cwd, env, stdio: ["ignore", "pipe", "pipe"] });
	t.after(() => child.kill("SIGKILL"));
	let stdout = "";
	let stderr = "";
	child.stdout.setEncoding("utf8").on("data", (text) => {
		stdout += text;
	});
	child.stderr.setEncoding("utf8").on("data", (text) => {
		stderr += text;
	});
	const outcome = new Promise<Outcome>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
	});
	return { child, outcome };
}

export function cli(
	t: TestContext,
	args: string[],
	options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
	return start(t, args, options).outcome;
}

/** Calls back with each event `run --json` prints. */
export function onEvents({ child }: Running, listener: (event: JournalEvent) => void): void {
	createInterface({ input: child.stdout! }).on("line", (line) => listener(JSON.parse(line)));
}

/** Resolves when what it has printed from now on matches. */
export function saying({ child }: Running, pattern: RegExp): Promise<void> {
	let said = "";
	return new Promise((heard) => {
		child.stdout!.on("data", (text: string) => {
			said += text;
			if (pattern.test(said)) heard();
		});
	});
}
