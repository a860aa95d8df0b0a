/**
 * What the process that runs train.ts may touch: Node's permission model lets it read the code it consists of and write
 * its checkpoint, and no more; of the environment it sees what a training program needs. This stops mistakes and
 * JavaScript; it does not stop native code, which Node's permission model does not cover.
 */
import { existsSync, realpathSync } from "node:fs";
import { dirname, extname, join } from "node:path";

/**
 * Variables that decide where libraries and devices are found, and where drivers keep compiled kernels (below HOME):
 * without that cache, CUDA compiles every kernel of ggml again in each experiment. None of them can hold a secret.
 */
const VARIABLES = ["PATH", "HOME", "TMPDIR", "LANG", "TZ", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];
const VARIABLE_PREFIXES = /^(LC|CUDA|NVIDIA|GGML|VK|MESA)_/;

/** Flags for Node with which this trainer runs the training file `file`, and can write only to the folder `model`. */
export function permissions(file: string, model: string): string[] {
	const trainer = dirname(import.meta.dirname);
	// Node looks for a package.json above every module.
	const manifests = [file, trainer].flatMap(above).map((folder) => join(folder, "package.json"));
	// The only file of prepare/ that the library uses.
	const random = join(trainer, "../prepare", `random${extname(import.meta.filename)}`);
	const readable = new Set([file, model, trainer, random, ...packages(trainer), ...manifests]);
	return [
		"--permission",
		"--allow-addons",
		"--disable-warning=SecurityWarning",
		...Array.from(readable, (path) => `--allow-fs-read=${path}`),
		`--allow-fs-write=${join(model, "*")}`,
	];
}

/** The folders above a path, the nearest first. */
function above(path: string): string[] {
	const parent = dirname(path);
	return parent === path ? [] : [parent, ...above(parent)];
}

/** Everywhere Node looks for packages from `folder` upwards, as far as the first folder that has some. */
function packages(folder: string): string[] {
	const places = [folder, ...above(folder)].map((at) => join(at, "node_modules"));
	const found = places.findIndex((modules) => existsSync(join(modules, "koffi")));
	if (found < 0) return [];
	const links = places.slice(0, found + 1).map((modules) => join(modules, "*"));
	return [...links, join(realpathSync(places[found]!), "*")];
}

/** The environment variables of `from` that the sandboxed process gets. */
export function environment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const isAllowed = (name: string) => VARIABLES.includes(name) || VARIABLE_PREFIXES.test(name);
	return Object.fromEntries(Object.entries(from).filter(([name]) => isAllowed(name)));
}
