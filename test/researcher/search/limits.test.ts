/** The limits stated in a constant's comment. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allows, readLimits, type ValueLimits } from "../../../src/researcher/search/limits.ts";

const statements: [string, ValueLimits][] = [
	["learning rate of the matrices, 0.001..0.1", { min: 0.001, max: 0.1 }],
	["share of the budget, 0 to 1", { min: 0, max: 1 }],
	["between -1 and 1e3", { min: -1, max: 1000 }],
	["2 ** 10 .. 2**16 tokens", { min: 1024, max: 65536 }],
	["at least 1", { min: 1, minExcluded: false }],
	["> 0", { min: 0, minExcluded: true }],
	["stays below 1", { max: 1, maxExcluded: true }],
	["up to 16_384", { max: 16384, maxExcluded: false }],
	["one of 1, 2, 4 or 8", { oneOf: [1, 2, 4, 8] }],
	["either 0.9 or 0.95.", { oneOf: [0.9, 0.95] }],
	["one of relu2, gelu", { oneOf: ["relu2", "gelu"] }],
	['"L" | "SL"', { oneOf: ["L", "SL"] }],
	["an integer, 1..8", { min: 1, max: 8, integer: true }],
	["power of two", { powerOfTwo: true }],
	["a multiple of 32", { multipleOf: 32 }],
	["multiple of `HEAD_DIM`", { multipleOf: "HEAD_DIM" }],
	["must divide WIDTH", { divides: "WIDTH" }],
	["warms down from 1 to 0 at the end", {}],
	["[B, T, D] -> the residual stream; see Muon (2024)", {}],
	["layers", {}],
];

for (const [text, limits] of statements) {
	test(`the comment "${text}" ${Object.keys(limits).length > 0 ? "limits" : "does not limit"} a constant`, () => {
		assert.deepEqual(readLimits(text), limits);
	});
}

test("limits may refer to other constants", () => {
	const lookup = (name: string) => ({ HEAD_DIM: 64, WIDTH: 256 })[name];
	assert.equal(allows({ multipleOf: "HEAD_DIM" }, 192, lookup), true);
	assert.equal(allows({ multipleOf: "HEAD_DIM" }, 200, lookup), false);
	assert.equal(allows({ divides: "WIDTH" }, 32, lookup), true);
	assert.equal(allows({ divides: "WIDTH" }, 48, lookup), false);
	assert.equal(allows({ multipleOf: "UNKNOWN" }, 7, lookup), true);
});

test("an excluded end is not allowed, an included one is", () => {
	const nothing = () => undefined;
	assert.equal(allows(readLimits("> 0"), 0, nothing), false);
	assert.equal(allows(readLimits(">= 0"), 0, nothing), true);
	assert.equal(allows(readLimits("0.1..0.9"), 0.9, nothing), true);
});
