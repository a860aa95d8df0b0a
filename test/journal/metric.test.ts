/** What "better" means, whichever way the metric points. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bestFirst, gain, isBetter } from "../../src/journal/metric.ts";

const [lower, higher] = [{ direction: "lower" }, { direction: "higher" }] as const;

test("a gain is positive when it is better, whichever way the metric points", () => {
	assert.equal(gain(lower, 2, 1.5), 0.5);
	assert.equal(gain(higher, 2, 1.5), -0.5);
});

test("a value is better than none and than a worse one, never than its like", () => {
	assert.deepEqual(
		[undefined, 2, 1, 0].map((reference) => isBetter(lower, 1, reference)),
		[true, true, false, false],
	);
	assert.deepEqual(
		[undefined, 2, 1, 0].map((reference) => isBetter(higher, 1, reference)),
		[true, false, false, true],
	);
});

test("a sort puts the best first", () => {
	assert.deepEqual([2, 1, 3].toSorted(bestFirst(lower)), [1, 2, 3]);
	assert.deepEqual([2, 1, 3].toSorted(bestFirst(higher)), [3, 2, 1]);
});
