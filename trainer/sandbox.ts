/**
 * What the process that runs train.ts may touch: Node's permission model lets it read the code it consists of and write
 * its checkpoint, and no more; of the environment it sees what a training program needs. It is a fence against a careless
 * or a clever train.ts, not a wall: a native library could climb over it.
 */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Variables that decide where libraries and devices are found, and where drivers keep compiled kernels (below HOME): without
 * that cache, CUDA compiles every kernel of ggml anew in each experiment. None that can hold a secret.
 */
const ENVIRONMENT =
	/^(PATH|HOME|TMPDIR|LANG|LC_.*|TZ|XDG_CACHE_HOME|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*|GGML_.*|VK_.*|MESA_.*)$/;

/** Flags for Node with which what lies in `folders`, train.ts and the trainer, runs and can write only to `model`. */
export function permissions(folders: string[], model: string): string[] {
	const readable = new Set([model, ...folders.flatMap((folder) => [folder, ...moduleFolders(folder)])]);
	return [
		"--permission",
		"--allow-addons",
		"--disable-warning=SecurityWarning",
		...Array.from(readable, (path) => `--allow-fs-read=${path}`),
		`--allow-fs-write=${join(model, "*")}`,
	];
}

/** Everywhere Node looks for packages from `folder` upwards, as far as the first folder that has some. */
function moduleFolders(folder: string): string[] {
	const paths: string[] = [];
	for (let at = folder; ; at = dirname(at)) {
		const modules = join(at, "node_modules");
		paths.push(join(at, "package.json"), join(modules, "*"));
		if (existsSync(join(modules, "koffi"))) return [...paths, join(realpathSync(modules), "*")];
		if (at === dirname(at)) return paths;
	}
}

export function environment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	return Object.fromEntries(Object.entries(from).filter(([name]) => ENVIRONMENT.test(name)));
}
