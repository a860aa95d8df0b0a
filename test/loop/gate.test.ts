/** The gate's verdicts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../../src/loop/gate.ts";

const bpb = { name: "val_bpb", direction: "lower" } as const;
const accuracy = { name: "accuracy", direction: "higher" } as const;

test("the first measurement is kept, whatever it is", () => {
	assert.equal(judge(9, undefined, bpb).status, "keep");
});

test("only what is strictly better is kept", () => {
	assert.deepEqual(judge(1.9, 2, bpb), { status: "keep", reason: "val_bpb better by 0.100000" });
	assert.deepEqual(judge(2.1, 2, bpb), { status: "discard", reason: "val_bpb worse by 0.100000" });
	assert.deepEqual(judge(2, 2, bpb), { status: "discard", reason: "val_bpb the same as the base" });
});

test("where higher is better, higher is kept", () => {
	assert.equal(judge(0.9, 0.8, accuracy).status, "keep");
	assert.equal(judge(0.7, 0.8, accuracy).status, "discard");
});

test("a value that is not a number is never kept over a measured one", () => {
	assert.equal(judge(Number.NaN, 2, bpb).status, "discard");
});
