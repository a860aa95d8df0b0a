/**
 * git commands that print nothing when all is well. simple-git waits 50 ms after each of those, in case output is still
 * to come; an experiment has eight of them.
 */
import { execFile } from "node:child_process";
import { IDENTITY } from "./identity.ts";

/** Runs git in `dir`. Rejects with what git said. */
export function silently(dir: string, ...args: string[]): Promise<void> {
	const identity = IDENTITY.flatMap((setting) => ["-c", setting]);
	return new Promise((resolve, reject) => {
		execFile("git", [...identity, ...args], { cwd: dir }, (error, _, stderr) => {
			if (error) reject(new Error(stderr.trim() || error.message));
			else resolve();
		});
	});
}
