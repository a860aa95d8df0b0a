import assert from "node:assert/strict";
import { test } from "node:test";
import { crashReason } from "../../src/runner/crash-reason.ts";
import { preflight } from "../../src/runner/preflight.ts";
import { parseProgress, parseSummary } from "../../src/runner/progress.ts";
import { withoutSecrets } from "../../src/runner/trainer.ts";
import type { ProcessResult } from "../../src/subprocess/run-process.ts";

test("karpathy/autoresearch's progress line is understood", () => {
	const line =
		"step 00123 (41.0%) | loss: 3.123456 | lrm: 0.50 | dt: 327ms | tok/sec: 1,602,345 | mfu: 39.8% | epoch: 1 | remaining: 177s    ";
	assert.deepEqual(parseProgress(line, 300), {
		step: 123,
		loss: 3.123456,
		lrMultiplier: 0.5,
		stepMs: 327,
		tokensPerSecond: 1602345,
		epoch: 1,
		elapsed: 123,
		remaining: 177,
	});
	assert.deepEqual(parseProgress(line.replace(" | mfu: 39.8%", ""), 300), parseProgress(line, 300));
	assert.equal(parseProgress("step by step", 300), undefined);
});

test("the last summary block counts, and unknown keys do no harm", () => {
	const lines = [
		"val_bpb: 0.1",
		"---",
		"val_bpb:          0.997900",
		"peak_vram_mb:     45060.2",
		"new_key:          12",
		"words here: no",
	];
	assert.deepEqual(parseSummary(lines), { val_bpb: 0.9979, peak_vram_mb: 45060.2, new_key: 12 });
	assert.deepEqual(parseSummary(["val_bpb:          0.5"]), {});
});

const ended = (more: Partial<ProcessResult>): ProcessResult => ({
	code: 1,
	signal: null,
	timedOut: false,
	aborted: false,
	seconds: 1,
	tail: [],
	...more,
});

test("a crash is told in a sentence", () => {
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
	assert.equal(crashReason(ended({ code: 3 }), 600), "exit 3 without a word");
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

test("a training file that does not parse is refused with its line", () => {
	assert.match(preflight("trainer/train.ts", "const A = 1;\nconst B = ;\n")!, /^trainer\/train\.ts:2: syntax error/);
});

test("a training file may import the tensor library and nothing of the machine", () => {
	const good =
		'import { add } from "./tensor/index.ts";\nimport type { Batch } from "./contract.ts";\nexport const x = add;\n';
	assert.equal(preflight("train.ts", good), undefined);
	assert.match(preflight("train.ts", `${good}import fs from "node:fs";\n`)!, /^train\.ts:4: imports "node:fs"/);
	assert.match(preflight("train.ts", `${good}await import("node:fs");\n`)!, /train\.ts:4: .*run time/);
	assert.match(preflight("train.ts", `${good}export * from "../prepare/dataset.ts";\n`)!, /train\.ts:4: imports/);
});

test("a training run is not given the human's credentials, and keeps everything else", () => {
	const secret = {
		ANTHROPIC_API_KEY: "a",
		ANTHROPIC_BASE_URL: "b",
		GITHUB_TOKEN: "c",
		GH_PAT: "d",
		aws_secret_access: "e",
		AWS_ACCESS_KEY_ID: "f",
		OPENAI_APIKEY: "g",
		PGPASSWORD: "h",
		MYSQL_PWD: "i",
		DB_PASS: "j",
		GOOGLE_APPLICATION_CREDENTIALS: "k",
		SSH_AUTH_SOCK: "/run/agent",
		DATABASE_URL: "postgres://user:secret@host/db",
		https_proxy: "http://user:secret@proxy:8080",
		PIP_INDEX_URL: "https://token@host/simple",
	};
	const harmless = {
		PATH: "/bin",
		PWD: "/h",
		OLDPWD: "/",
		HOME: "/h",
		TOKENIZERS_PARALLELISM: "false",
		KEYBOARD: "de",
		KEYMAP: "de",
		COMPASS: "north",
		HTTP_PROXY: "http://proxy:8080",
		TRACKING_URL: "https://host/runs/@me",
	};
	assert.deepEqual(withoutSecrets({ ...secret, ...harmless }), harmless);
});
