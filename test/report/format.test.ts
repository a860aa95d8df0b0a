/** Numbers, times and text for people. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, compact, fitted, grouped, seconds, signed, span } from "../../src/report/format.ts";

test("a countdown reads as a clock", () => {
	assert.deepEqual([0, 7.2, 299.4, 3_723].map(clock), ["0:00", "0:07", "4:59", "1:02:03"]);
	assert.equal(clock(-3), "0:00");
});

test("a length of time reads at a glance", () => {
	assert.deepEqual([0, 59, 60, 3_599, 11_520, 187_200].map(span), ["0s", "59s", "1m", "59m", "3h 12m", "2d 4h"]);
});

test("large numbers are grouped or shortened", () => {
	assert.deepEqual([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
	assert.deepEqual([950, 12_345, 999_960, 4_500_000].map(compact), ["950", "12.3k", "1.0M", "4.5M"]);
});

test("a difference is written with its sign", () => {
	assert.deepEqual([0.001234, -0.5].map(signed), ["+0.001234", "-0.500000"]);
});

test("short phases keep two digits", () => {
	assert.deepEqual([0.414, 300].map(seconds), ["0.41 s", "300.0 s"]);
});

test("a number that is too long loses decimals, never digits before the point", () => {
	assert.deepEqual(
		[1.410706, 99.123456, 15_432.098_765, 99_999.999, 1_234_567.5, -0.5].map((value) => fitted(value, 8)),
		["1.410706", "99.12346", "15432.10", "100000.0", "1234568", "-0.50000"],
	);
	assert.equal(fitted(150_000, 7, 1), "150000");
	assert.equal(fitted(123_456_789_012, 8), "1e+11");
});
