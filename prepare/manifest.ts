/** manifest.json: what a prepared dataset consists of, and the check that it is all there. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { SplitName } from "./splits.ts";

/** Part of every dataset's name: raise it when the same text would no longer give the same bytes. */
export const FORMAT = 1;

export interface SplitCounts {
	documents: number;
	passages: number;
	/** Tokens, the BOS of each passage included. */
	tokens: number;
	/** Bytes of UTF-8 the tokens stand for. */
	bytes: number;
}

export interface Manifest {
	format: typeof FORMAT;
	source: string;
	vocabSize: number;
	splits: Record<SplitName, SplitCounts>;
	files: Record<string, { size: number; sha256: string }>;
}

/**
 * The manifest of the dataset in `dir` if every file it names has the right size, or the right hash; else undefined.
 */
export function readManifest(dir: string, check: "sizes" | "hashes"): Manifest | undefined {
	try {
		const manifest: Manifest = JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8"));
		if (manifest.format !== FORMAT) return undefined;
		for (const [name, { size, sha256 }] of Object.entries(manifest.files)) {
			const path = join(dir, name);
			if (statSync(path).size !== size) return undefined;
			if (check === "hashes" && createHash("sha256").update(readFileSync(path)).digest("hex") !== sha256)
				return undefined;
		}
		return manifest;
	} catch {
		return undefined;
	}
}
