/** A GPU that is listed and then fails: a library preloaded before ggml's replaces the function that computes. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { tempDir } from "../../../support/lab.ts";

const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ggml_backend_graph_compute_async(void *backend, void *graph) {
	static int calls = 0;
	const char *once = getenv("FAILING_DRIVER_ONCE");
	if (once && (++calls < atoi(once) || open(getenv("FAILING_DRIVER_MARK"), O_CREAT | O_EXCL, 0600) < 0)) {
		int (*compute)(void *, void *) = dlsym(RTLD_NEXT, "ggml_backend_graph_compute_async");
		return compute(backend, graph);
	}
	const char *fault = getenv("FAILING_DRIVER");
	if (strcmp(fault, "wrong") == 0) return 0;
	if (strcmp(fault, "hang") == 0) for (;;) pause();
	/* As ggml_cuda_error does. */
	void (*say)(int, const char *, ...) = dlsym(RTLD_DEFAULT, "ggml_log_internal");
	void (*fail)(const char *, int, const char *, ...) = dlsym(RTLD_DEFAULT, "ggml_abort");
	say(4, "CUDA error: %s\\n", fault);
	say(4, "  current device: 0, in function ggml_cuda_op at ggml-cuda.cu:1\\n");
	say(4, "  cudaGetLastError()\\n");
	fail("ggml-cuda.cu", 108, "CUDA error");
	return 1;
}
`;

export const PTX_ERROR = "the provided PTX was compiled with an unsupported toolchain.";

/**
 * What must be in the environment of processes whose driver fails: with CUDA's message, or by `wrong` numbers or a
 * `hang`.
 * @param once the first process that computes so many times meets the fault at the last of them, and no other ever
 */
export function failingDriver(t: TestContext, fault: string, once?: number): NodeJS.ProcessEnv {
	const folder = tempDir(t);
	const [source, library] = [join(folder, "driver.c"), join(folder, "driver.so")];
	writeFileSync(source, SOURCE);
	execFileSync("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"]);
	return {
		LD_PRELOAD: library,
		FAILING_DRIVER: fault,
		...(once && { FAILING_DRIVER_ONCE: String(once), FAILING_DRIVER_MARK: join(folder, "met") }),
	};
}
