/** Runs a program in a process of its own, because a device may end the process. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { lastError } from "../../trainer/tensor/text.ts";

/**
 * Runs this Node with `args`; returns what the program printed.
 * @throws Error with how it ended and what it said last.
 */
export async function runNode(args: string[]): Promise<string> {
	const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
	const end = new Promise<string | number | null>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (code, signal) => resolve(signal ?? code));
	});
	const [how, stdout, stderr] = await Promise.all([end, text(child.stdout), text(child.stderr)]);
	if (how === 0) return stdout;
	throw new Error(`${typeof how === "number" ? `exit ${how}` : how}: ${lastError(stderr) || "without output"}`);
}
