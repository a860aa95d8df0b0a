/** Why a run ended badly, in one sentence. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crashReason } from "../../src/runner/crash-reason.ts";
import type { ProcessResult } from "../../src/subprocess/run-process.ts";

const ended = (more: Partial<ProcessResult>): ProcessResult => ({
	code: 1,
	signal: null,
	timedOut: false,
	aborted: false,
	seconds: 1,
	tail: [],
	...more,
});

test("a crash reason is one sentence", () => {
	assert.equal(crashReason(ended({ tail: ["crash: loss became NaN at step 12"] }), 600), "loss became NaN at step 12");
	const traceback = [
		"Traceback (most recent call last):",
		"  File ...",
		"torch.OutOfMemoryError: CUDA out of memory.",
		"done",
	];
	assert.equal(crashReason(ended({ tail: traceback }), 600), "exit 1: torch.OutOfMemoryError: CUDA out of memory.");
	assert.match(crashReason(ended({ code: null, signal: "SIGKILL" }), 600), /out of memory/);
	assert.match(
		crashReason(ended({ code: null, timedOut: true, signal: "SIGKILL" }), 600),
		/timeout: still running after 600 s/,
	);
	const ggml = ["CUDA error: an illegal memory access", "  cudaGetLastError()", "ggml-cuda.cu:108: CUDA error"];
	const aborted = { code: null, signal: "SIGABRT" } as const;
	assert.equal(
		crashReason(ended({ ...aborted, tail: ggml }), 600),
		"aborted (SIGABRT): CUDA error: an illegal memory access",
	);
	assert.equal(crashReason(ended({ ...aborted, tail: ["step 1"] }), 600), "aborted (SIGABRT)");
	assert.equal(crashReason(ended({ code: 3 }), 600), "exit 3 without output");
	assert.ok(crashReason(ended({ tail: ["x".repeat(5000)] }), 600).length <= 300);
});
