/**
 * Which tensor library a training file gets: the harness's own. `./tensor/…` and `./contract.ts` in a training file
 * resolve to the files of this trainer/, even if such files exist beside it. A training file therefore works alone in
 * its folder and beside a copy of another version of trainer/, and the process holds one library, with one device and
 * one set of parameters.
 */
import { registerHooks } from "node:module";
import { basename, extname } from "node:path";
import { Crash } from "../harness/crash.ts";

/** Resolves what the training file at `file` (a URL) imports of the library to this trainer's own files. */
export function shareLibrary(file: string): void {
	const theirs = new URL(".", file).href;
	const ours = new URL("..", import.meta.url).href;
	// This program may run as TypeScript or compiled to JavaScript.
	const extension = extname(import.meta.filename);
	registerHooks({
		resolve(specifier, context, next) {
			// Whatever the nearest package.json says, a training file is an ES module.
			if (specifier === file) return { ...next(specifier, context), format: "module-typescript" };
			const path = context.parentURL === file && pathBelow(theirs, specifier, file);
			if (!path) return next(specifier, context);
			if (path.startsWith("tensor/") || path === "contract.ts")
				return next(ours + path.replace(/\.ts$/, extension), context);
			const importable = "a training file may import only ./tensor/index.ts and ./contract.ts";
			throw new Crash(`${basename(file)} imports "${specifier}"; ${importable}`);
		},
	});
}

/** Where in `folder` an import of a file leads; undefined for packages and files elsewhere. */
function pathBelow(folder: string, specifier: string, parent: string): string | undefined {
	if (!/^(\.{0,2}\/|file:)/.test(specifier)) return undefined;
	const { href } = new URL(specifier, parent);
	return href.startsWith(folder) ? href.slice(folder.length) : undefined;
}
