/** The metric on vocabularies small enough to compute it by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BitsPerByteSum } from "../../prepare/bits-per-byte.ts";

/** Tokens 0 and 1 stand for 1 and 3 bytes, token 2 is reserved. */
const TOKEN_BYTES = Uint16Array.of(1, 3, 0);

test("one bit for every byte is 1", () => {
	const sum = new BitsPerByteSum(TOKEN_BYTES);
	sum.add(Float32Array.of(Math.LN2, 3 * Math.LN2), Int32Array.of(0, 1));
	assert.ok(Math.abs(sum.result.value - 1) < 1e-7);
	assert.deepEqual({ ...sum.result, value: 0 }, { value: 0, tokens: 2, bytes: 4 });
});

test("reserved tokens count neither as nats nor as bytes", () => {
	const sum = new BitsPerByteSum(TOKEN_BYTES);
	sum.add(Float32Array.of(2 * Math.LN2, 1000), Int32Array.of(0, 2));
	assert.ok(Math.abs(sum.result.value - 2) < 1e-7);
	assert.equal(sum.result.bytes, 1);
});

test("batches add up, whatever their sizes", () => {
	const one = new BitsPerByteSum(TOKEN_BYTES);
	one.add(Float32Array.of(1, 2, 3), Int32Array.of(0, 1, 1));
	const two = new BitsPerByteSum(TOKEN_BYTES);
	two.add(Float32Array.of(1), Int32Array.of(0));
	two.add(Float32Array.of(2, 3), Int32Array.of(1, 1));
	assert.deepEqual(one.result, two.result);
});

test("a number of losses that is not the number of targets is refused", () => {
	assert.throws(
		() => new BitsPerByteSum(TOKEN_BYTES).add(new Float32Array(3), new Int32Array(2)),
		/3 losses for 2 targets/,
	);
});

test("nothing covered is not a number", () => {
	assert.ok(Number.isNaN(new BitsPerByteSum(TOKEN_BYTES).result.value));
});
