/** One engine a tag: a lock file that names its holder, and is void when the holder is gone. */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode, UserError } from "../errors.ts";
import { identityOf, isAlive } from "../subprocess/identity.ts";

/**
 * Takes the lock at `path`; returns the way to release it.
 * @throws UserError naming the process that holds it.
 */
export function takeLock(path: string, tag: string): () => void {
	mkdirSync(dirname(path), { recursive: true });
	const mine = `${path}.${process.pid}`;
	writeFileSync(mine, identityOf(process.pid));
	try {
		for (let attempt = 0; ; attempt++) {
			try {
				// A link appears whole or not at all: no process reads a lock without its holder's name.
				linkSync(mine, path);
				return () => rmSync(path, { force: true });
			} catch (error) {
				if (!hasCode(error, "EEXIST")) throw error;
			}
			const holder = read(path);
			if (attempt > 2 || (holder && isAlive(holder))) {
				const pid = holder.split(" ")[0];
				throw new UserError(
					`tag ${tag} is being run by process ${pid}: stop that one, or start another run with --tag NAME`,
				);
			}
			rmSync(path, { force: true });
		}
	} finally {
		rmSync(mine, { force: true });
	}
}

function read(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
}
