/** The progress line and the summary block that a run prints. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { progressLine, SmoothedLoss, summaryBlock } from "../../../trainer/harness/output.ts";

test("the progress line is karpathy/autoresearch's, to the character, without mfu", () => {
	assert.equal(
		progressLine({
			step: 953,
			loss: 2.9972034,
			lrMultiplier: 1,
			stepSeconds: 0.3251,
			tokensPerSecond: 1_612_345.6,
			epoch: 1,
			remaining: 150.2,
			budget: 300,
		}),
		"\rstep 00953 (49.9%) | loss: 2.997203 | lrm: 1.00 | dt: 325ms | tok/sec: 1,612,346 | " +
			"epoch: 1 | remaining: 150s    ",
	);
});

test("the summary's values begin in column 19", () => {
	assert.equal(
		summaryBlock({ val_bpb: "0.997900", training_seconds: "300.1", depth: "8" }),
		"---\nval_bpb:          0.997900\ntraining_seconds: 300.1\ndepth:            8\n",
	);
});

test("the smoothed loss begins at the first loss and follows slowly", () => {
	const smoothed = new SmoothedLoss();
	assert.ok(Math.abs(smoothed.add(8) - 8) < 1e-12);
	const second = smoothed.add(4);
	assert.ok(second > 5.5 && second < 6);
	for (let i = 0; i < 200; i++) smoothed.add(4);
	assert.ok(Math.abs(smoothed.add(4) - 4) < 1e-6);
});
