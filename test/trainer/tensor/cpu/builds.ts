/** The kernels compiled for this machine, and for the lesser instruction sets that other machines have. */
import { join } from "node:path";
import { COMPILE_FLAGS, ensureKernels } from "../../../../trainer/tensor/cpu/build.ts";
import { type Kernels, loadKernels } from "../../../../trainer/tensor/cpu/load.ts";

/** Out of the repository and of the user's cache, and kept between runs of the tests. */
const CACHE = join(import.meta.dirname, "../../../../node_modules/.cache/autoresearch/kernels");

const VARIANTS: Record<string, readonly string[]> = {
	native: COMPILE_FLAGS,
	...(process.arch === "x64" && {
		avx2: [...COMPILE_FLAGS, "-mno-avx512f"],
		plain: COMPILE_FLAGS.filter((flag) => flag !== "-march=native"),
	}),
};

const paths = new Map<string, string>();

/** The file of a build that `builds` has loaded. */
export function pathOf(variant: string): string | undefined {
	return paths.get(variant);
}

/** The loaded builds by variant, and why one is missing. */
export async function builds(): Promise<{ kernels: Map<string, Kernels>; missing: string[] }> {
	const kernels = new Map<string, Kernels>();
	const missing: string[] = [];
	for (const [name, flags] of Object.entries(VARIANTS)) {
		const build = await ensureKernels({ cacheFolder: CACHE, flags });
		if (build.ok) {
			kernels.set(name, loadKernels(build.path));
			paths.set(name, build.path);
		} else missing.push(`${name}: ${build.reason}`);
	}
	return { kernels, missing };
}
