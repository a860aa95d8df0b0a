/** Builds a folder beside its final place and renames it, safely against other processes that do the same. */
import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** An empty folder on the same file system as `dir`, named after this process. */
export function scratchBeside(dir: string): Promise<string> {
	return mkdtemp(`${dir}.tmp-${process.pid}-`);
}

/** Removes what builders of `dir` that were killed have left. */
export async function removeAbandoned(dir: string): Promise<void> {
	const prefix = `${basename(dir)}.tmp-`;
	for (const name of await readdir(dirname(dir))) {
		if (!name.startsWith(prefix)) continue;
		const pid = Number.parseInt(name.slice(prefix.length), 10);
		if (pid !== process.pid && !isAlive(pid)) await rm(join(dirname(dir), name), { recursive: true, force: true });
	}
}

/**
 * Renames `scratch` to `dir`. A folder that is already there stays if it is whole, and is replaced if it is damaged.
 */
export async function moveIntoPlace(scratch: string, dir: string, isWhole: () => boolean): Promise<void> {
	for (;;) {
		try {
			return await rename(scratch, dir);
		} catch (error) {
			if (!["ENOTEMPTY", "EEXIST"].includes(codeOf(error))) throw error;
			if (isWhole()) return;
			const damaged = await scratchBeside(dir);
			// Another process may have moved it away a moment ago.
			await rename(dir, join(damaged, "damaged")).catch((error) => {
				if (codeOf(error) !== "ENOENT") throw error;
			});
			await rm(damaged, { recursive: true, force: true });
		}
	}
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return codeOf(error) === "EPERM";
	}
}

function codeOf(error: unknown): string {
	return (error as NodeJS.ErrnoException).code ?? "";
}
