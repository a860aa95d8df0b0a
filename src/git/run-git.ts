/**
 * git commands that print nothing when all is well. simple-git waits 50 ms after each of those, in case output is still
 * to come; an experiment has eight of them.
 */
import { execFile } from "node:child_process";
import { SETTINGS } from "./settings.ts";

/** Runs git in `dir`. Rejects with what git said. */
export function silently(dir: string, ...args: string[]): Promise<void> {
	const settings = SETTINGS.flatMap((setting) => ["-c", setting]);
	return new Promise((resolve, reject) => {
		execFile("git", [...settings, ...args], { cwd: dir, env: gitEnvironment() }, (error, _, stderr) => {
			if (error) reject(new Error(stderr.trim() || error.message));
			else resolve();
		});
	});
}

/**
 * This process's environment without git's own variables, which may name another repository (in a hook they do), as
 * simple-git passes it too.
 */
export function gitEnvironment(): NodeJS.ProcessEnv {
	return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
}
