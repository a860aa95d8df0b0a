/** Reading and rewriting the constants of a training file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConstants, readValue, rewrite, SyntaxProblem } from "../../../src/researcher/search/constants.ts";

const read = (text: string) => readConstants("train.ts", text);
const summary = (text: string) => read(text).map(({ name, text, value }) => [name, text, value]);

test("numbers are read as they are written, with the value they have", () => {
	const text = [
		"const A = -0.5;",
		"const B = 2e-3;",
		"export const C = 16_384;",
		"const D = 2 ** 14;",
		"const E = 64 * 4;",
		"const F: number = (3);",
	].join("\n");
	assert.deepEqual(summary(text), [
		["A", "-0.5", -0.5],
		["B", "2e-3", 0.002],
		["C", "16_384", 16384],
		["D", "2 ** 14", 16384],
		["E", "64 * 4", 256],
		["F", "3", 3],
	]);
});

test("what is computed, local, variable or not in capitals is no constant to tune", () => {
	const text = `
const HEADS = WIDTH / 64;
const TEN = Number("10");
let STEPS = 4;
const depth = 4;
function f() { const INNER = 3; return INNER; }
const NAME = "a name without alternatives";
const SIZES = [1, 2];
`;
	assert.deepEqual(summary(text), []);
});

test("a string offers the alternatives of its type, its alias, its assertion or its comment", () => {
	const text = `
type Pattern = "L" | "SL" | "SSL";
const A: "relu2" | "gelu" = "gelu";
const B: Pattern = "SL";
const C = "pre" as "pre" | "post";
const D = "x" satisfies Pattern | "x" | "y";
const E = "tanh"; // one of "tanh", "none"
const F = 'cos'; // "cos" | "linear"
`;
	assert.deepEqual(
		read(text).map(({ name, options }) => [name, options]),
		[
			["A", ["relu2", "gelu"]],
			["B", ["L", "SL", "SSL"]],
			["C", ["pre", "post"]],
			["D", ["x", "y"]],
			["E", ["tanh", "none"]],
			["F", ["cos", "linear"]],
		],
	);
});

test("a comment above or behind a constant bounds it, and only it", () => {
	const text = `
const A = 1; // 1..4
const B = 2;
/** The learning rate, 0.001..0.1. */
const C = 0.01;
// at least 2
// and at most 9
const D = 3;

// 5 to 6

const E = 5.5;
`;
	const limits = Object.fromEntries(read(text).map(({ name, limits }) => [name, limits]));
	assert.deepEqual(limits, {
		A: { min: 1, max: 4 },
		B: {},
		C: { min: 0.001, max: 0.1 },
		D: { min: 2, minExcluded: false, max: 9, maxExcluded: false },
		E: {},
	});
});

test("a constant whose comment says it is fixed is left alone", () => {
	assert.deepEqual(summary("const A = 1; // fixed by the harness\nconst B = 2; // do not change\n"), []);
});

test("a rewrite changes the literals and nothing else, wherever they stand", () => {
	const text = "// ünïcode 😀 \r\nconst A=1 ,B = 0x10/* sixteen */ ;\t// trailing  \r\n\r\nconst C\n\t= true; // 🎲\n";
	const [a, b, c] = read(text);
	const edits = [
		{ constant: a!, text: "1000" },
		{ constant: c!, text: "false" },
		{ constant: b!, text: "0.5" },
	];
	assert.equal(
		rewrite("train.ts", text, edits),
		"// ünïcode 😀 \r\nconst A=1000 ,B = 0.5/* sixteen */ ;\t// trailing  \r\n\r\nconst C\n\t= false; // 🎲\n",
	);
});

test("a file that does not parse is reported with its line", () => {
	assert.throws(
		() => read("const A = 1;\nconst B = ;\n"),
		(error: Error) => error instanceof SyntaxProblem && /^train\.ts:2: /.test(error.message),
	);
	const [a] = read("const A = 1;");
	assert.throws(() => rewrite("train.ts", "const A = 1;", [{ constant: a!, text: "1 +" }]), SyntaxProblem);
});

test("the source text of a recorded change has a value again", () => {
	assert.deepEqual(["2 ** 4", '"gelu"', "false", "-1e-3", "WIDTH"].map(readValue), [
		16,
		"gelu",
		false,
		-0.001,
		undefined,
	]);
});
