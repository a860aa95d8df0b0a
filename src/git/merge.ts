/** Three-way merge of one file's text with git's own merge, in a folder of its own. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gitEnvironment } from "./run-git.ts";

/** `theirs`' changes since `base`, made to `ours`; undefined when both changed the same lines. */
export async function mergeTexts(ours: string, base: string, theirs: string): Promise<string | undefined> {
	if (ours === base) return theirs;
	const dir = mkdtempSync(join(tmpdir(), "autoresearch-merge-"));
	try {
		const paths = Object.entries({ ours, base, theirs }).map(([name, text]) => {
			const path = join(dir, name);
			writeFileSync(path, text);
			return path;
		});
		const conflicts = await new Promise<number>((resolve, reject) => {
			execFile("git", ["merge-file", "--quiet", ...paths], { env: gitEnvironment() }, (error) => {
				const code = error ? Number(error.code) : 0;
				// The exit code is the number of conflicts; from 128 on it is a failure.
				if (code >= 0 && code < 128) resolve(code);
				else reject(error);
			});
		});
		return conflicts === 0 ? readFileSync(join(dir, "ours"), "utf8") : undefined;
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}
