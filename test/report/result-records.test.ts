/** The records of `results --json`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { initialState, type State } from "../../src/journal/state.ts";
import { resultRecords } from "../../src/report/result-records.ts";

/** A run with one measured experiment and one that crashed after it was measured. */
function run(metric: string): State {
	const experiment = {
		parent: "",
		program: "p1",
		researcher: "search",
		title: "",
		hypothesis: "",
		changes: [],
		added: 0,
		removed: 0,
		seconds: {},
		startedAt: "",
		workedMs: 0,
	};
	return {
		...initialState(),
		metric: { name: metric, direction: "lower" },
		experiments: [
			{ ...experiment, n: 1, value: 1.5, status: "keep" },
			{ ...experiment, n: 2, value: 0.1, status: "crash" },
		],
	};
}

test("every row has the metric's name and value; a crash has no value", () => {
	const values = resultRecords(run("bytes")).map(({ metric, value }) => [metric, value]);
	assert.deepEqual(values, [
		["bytes", 1.5],
		["bytes", null],
	]);
});

test("val_bpb is a key only when it is the metric", () => {
	assert.deepEqual(
		resultRecords(run("val_bpb")).map((record) => record.val_bpb),
		[1.5, null],
	);
	for (const record of resultRecords(run("bytes"))) assert.equal("val_bpb" in record, false);
});
