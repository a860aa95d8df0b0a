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

test("the line that says something is told, not the last bracket of what was printed", () => {
	const nodeTest = ["not ok 1 - works", "AssertionError [ERR_ASSERTION]: 1 == 2", "    at a.js:3:1", "  }", "}"];
	assert.equal(crashReason(ended({ tail: nodeTest }), 600), "exit 1: AssertionError [ERR_ASSERTION]: 1 == 2");
	const indented = ["✖ failing tests:", "  TypeError: x is not a function", "    at a.js:3:1 {", "  }", "}"];
	assert.equal(crashReason(ended({ tail: indented }), 600), "exit 1: TypeError: x is not a function");
	assert.equal(crashReason(ended({ tail: ["2 tests failed", "---", "}"] }), 600), "exit 1: 2 tests failed");
	assert.equal(crashReason(ended({ tail: ["}"] }), 600), "exit 1: }");
});

test("a run that was ended by its limit tells what it said last, a progress line apart", () => {
	const late = { code: null, timedOut: true, signal: "SIGTERM" } as const;
	const progress = "step 00123 (41.0%) | loss: 3.1 | lrm: 0.50 | dt: 327ms | tok/sec: 1 | epoch: 1 | remaining: 177s";
	assert.equal(
		crashReason(ended({ ...late, tail: ["loading", "Download the data? [y/N]", progress] }), 600),
		"timeout: still running after 600 s, the limit for a whole run; its last words: Download the data? [y/N]",
	);
	assert.doesNotMatch(crashReason(ended({ ...late, tail: [progress] }), 600), /last words/);
});
