/**
 * The compiled form of a lab's trainer. Node strips the types of every file in every process, a tenth of a second for the
 * tensor library; where a lab's trainer is the one this program was compiled from, but for the training file, the guest
 * runs the compiled one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";

/** The folder whose compiled files do what the TypeScript files beside the training file `file` do; undefined when there is none. */
export function compiledFor(file: string): string | undefined {
	if (extname(import.meta.filename) !== ".js") return undefined;
	// dist/trainer was compiled from trainer, two folders up.
	const sources = join(import.meta.dirname, "../../trainer");
	return sameFiles(sources, dirname(file), basename(file)) ? import.meta.dirname : undefined;
}

function sameFiles(a: string, b: string, except: string): boolean {
	try {
		const [ours, theirs] = [sourcesIn(a, except), sourcesIn(b, except)];
		return (
			ours.length === theirs.length &&
			ours.every((path, i) => path === theirs[i] && readFileSync(join(a, path)).equals(readFileSync(join(b, path))))
		);
	} catch {
		// Installed without its sources.
		return false;
	}
}

function sourcesIn(folder: string, except: string): string[] {
	const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
	return paths.filter((path) => path.endsWith(".ts") && path !== except).sort();
}
