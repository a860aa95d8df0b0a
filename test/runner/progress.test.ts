/** The progress line and the summary block that a training run prints. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProgress, parseSummary } from "../../src/runner/progress.ts";

test("karpathy/autoresearch's progress line is understood", () => {
	const line =
		"step 00123 (41.0%) | loss: 3.123456 | lrm: 0.50 | dt: 327ms | tok/sec: 1,602,345 | mfu: 39.8% " +
		"| epoch: 1 | remaining: 177s    ";
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
