/** What the search reads of program.md: a small syntax, and no sentence of prose. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readConstants } from "../../../src/researcher/search/constants.ts";
import { readConstraints } from "../../../src/researcher/search/constraints.ts";

const NAMES = ["DEPTH", "N_EMBD", "MATRIX_LR", "EMBEDDING_LR", "DEVICE_BATCH_SIZE", "ACTIVATION"];
const constraints = (markdown: string) => {
	const { leaveAlone, tryFirst, limits, unread } = readConstraints(markdown, NAMES);
	return { leaveAlone: [...leaveAlone], tryFirst: [...tryFirst], limits: Object.fromEntries(limits), unread };
};
const nothing = { leaveAlone: [], tryFirst: [], limits: {}, unread: [] };

test("lists under the two headings are read until the next heading, in any rank, case and kind of list", () => {
	const markdown = `# Program
## Leave alone
- \`DEPTH\`, \`N_EMBD\`
* DEVICE_BATCH_SIZE (it fills the memory)
### Try First
1. MATRIX_LR
## Ideas
- ACTIVATION
`;
	assert.deepEqual(constraints(markdown), {
		...nothing,
		leaveAlone: ["DEPTH", "N_EMBD", "DEVICE_BATCH_SIZE"],
		tryFirst: ["MATRIX_LR"],
		unread: ["ACTIVATION"],
	});
});

test("the same on a line of its own, as a note has it", () => {
	assert.deepEqual(constraints("leave alone: DEPTH, N_EMBD"), { ...nothing, leaveAlone: ["DEPTH", "N_EMBD"] });
	assert.deepEqual(constraints("Try first: `MATRIX_LR`"), { ...nothing, tryFirst: ["MATRIX_LR"] });
});

test("a star names a family", () => {
	assert.deepEqual(constraints("leave alone: *_LR"), { ...nothing, leaveAlone: ["MATRIX_LR", "EMBEDDING_LR"] });
	assert.deepEqual(constraints("## Try first\n- `E*`\n"), { ...nothing, tryFirst: ["EMBEDDING_LR"] });
});

test("only some to change leaves all others alone", () => {
	assert.deepEqual(constraints("only: *_LR, DEPTH").leaveAlone, ["N_EMBD", "DEVICE_BATCH_SIZE", "ACTIVATION"]);
	assert.deepEqual(constraints("only: DEPTH\nonly: N_EMBD").leaveAlone, NAMES.slice(2));
});

test("to leave alone goes before to try first", () => {
	assert.deepEqual(constraints("try first: DEPTH\nleave alone: DEPTH"), { ...nothing, leaveAlone: ["DEPTH"] });
});

test("a limit is written behind the name, in the grammar of the constants' comments", () => {
	assert.deepEqual(constraints("MATRIX_LR: 0.01..0.05").limits, { MATRIX_LR: { min: 0.01, max: 0.05 } });
	assert.deepEqual(constraints("- `DEPTH`: `at most 6`").limits, { DEPTH: { max: 6, maxExcluded: false } });
	assert.deepEqual(constraints("N_EMBD: multiple of 64, at least 128").limits, {
		N_EMBD: { min: 128, minExcluded: false, multipleOf: 64 },
	});
	assert.deepEqual(constraints("DEPTH: one of 2, 4 or 6").limits, { DEPTH: { oneOf: [2, 4, 6] } });
	assert.deepEqual(constraints('ACTIVATION: "relu2" | "gelu"').limits, { ACTIVATION: { oneOf: ["relu2", "gelu"] } });
	assert.deepEqual(constraints("*_LR: < 0.1").limits, {
		MATRIX_LR: { max: 0.1, maxExcluded: true },
		EMBEDDING_LR: { max: 0.1, maxExcluded: true },
	});
	assert.deepEqual(constraints("DEPTH: fixed").leaveAlone, ["DEPTH"]);
});

for (const sentence of [
	"Do not change `DEPTH`.",
	"Don't be afraid to change DEPTH.",
	"Focus on DEPTH, but never above 8.",
	"Only change DEPTH.",
	"Keep DEPTH at most 6.",
	"DEPTH: I have tried 4..6 and would not go higher.",
	"DEPTH: one of the most important, one of these, those",
	"DEPTH: between 2 and 4 layers are enough",
	"The budget is fixed, so DEPTH matters.",
	"Try first: whatever you like with DEPTH.",
]) {
	test(`"${sentence}" is prose: it constrains nothing and is reported`, () => {
		assert.deepEqual(constraints(sentence), { ...nothing, unread: [sentence.replaceAll("`", "")] });
	});
}

test("under a heading too, an item that is not a list of names is reported where it names a constant", () => {
	const markdown = "## Leave alone\n- the tokenizer and the data\n- DEPTH, which did not help\n- anything but N_EMBD\n";
	assert.deepEqual(constraints(markdown), {
		...nothing,
		unread: ["DEPTH, which did not help", "anything but N_EMBD"],
	});
});

test("a name that the file does not have is reported, and the others of the line are read", () => {
	assert.deepEqual(constraints("leave alone: DEPTH, N_EMDB"), {
		...nothing,
		leaveAlone: ["DEPTH"],
		unread: ["leave alone: DEPTH, N_EMDB"],
	});
	assert.deepEqual(constraints("only: DEPHT"), { ...nothing, unread: ["only: DEPHT"] });
	assert.deepEqual(constraints("DEPHT: 2..4"), { ...nothing, unread: ["DEPHT: 2..4"] });
	assert.deepEqual(constraints("MATRIX_LR: 0.05..0.01"), { ...nothing, unread: ["MATRIX_LR: 0.05..0.01"] });
});

test("prose without a constant, code and comments are neither read nor reported", () => {
	const fenced = "```\nonly: DEPTH\n```\n";
	const markdown = `We need depth of thought.\n${fenced}<!-- leave alone: DEPTH -->\nThe DEPTHS of night.\n`;
	assert.deepEqual(constraints(markdown), nothing);
	assert.deepEqual(constraints("```\nonly: DEPTH\n"), nothing, "a fence that is not closed goes to the end");
});

test("the repository's program.md constrains nothing, and the examples in it are read as it says", () => {
	const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
	const names = readConstants("train.ts", read("trainer/train.ts")).map((constant) => constant.name);
	const program = read("program.md");
	assert.deepEqual(readConstraints(program, names), {
		leaveAlone: new Set(),
		tryFirst: new Set(),
		limits: new Map(),
		read: [],
		unread: [],
	});
	const examples = /<!--[\s\S]*?\n\n([\s\S]*?)-->/.exec(program)![1]!;
	assert.deepEqual(readConstraints(examples, names).unread, []);
	assert.deepEqual(readConstraints(examples, names).read, [
		"keeps MATRIX_LR to 0.01..0.05",
		"keeps DEPTH to at most 6",
		"leaves alone N_HEAD, HEAD_DIM",
		"tries MATRIX_LR, EMBEDDING_LR, UNEMBEDDING_LR, SCALAR_LR first",
	]);
});
