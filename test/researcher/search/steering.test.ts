import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readConstants } from "../../../src/researcher/search/constants.ts";
import { readSteering } from "../../../src/researcher/search/steering.ts";

const NAMES = ["DEPTH", "WIDTH", "MATRIX_LR", "EMBED_LR", "ROWS", "ACTIVATION"];
const steer = (markdown: string) => {
	const { offLimits, focus, limits, oneWay } = readSteering(markdown, NAMES);
	return {
		offLimits: [...offLimits],
		focus: [...focus],
		limits: Object.fromEntries(limits),
		oneWay: Object.fromEntries(oneWay),
	};
};
const nothing = { offLimits: [], focus: [], limits: {}, oneWay: {} };

for (const sentence of [
	"Do not change `DEPTH`.",
	"Don't touch DEPTH, please.",
	"never edit DEPTH",
	"Leave the depth alone.",
	"Keep DEPTH fixed.",
	"Keep DEPTH at 4.",
	"Keep DEPTH as it is.",
	"DEPTH must not change.",
	"DEPTH is off limits.",
	"Hands off `depth`!",
	"Change anything but DEPTH.",
	"You may tune everything, except for DEPTH.",
	"Change what you like but do not\nchange DEPTH.",
]) {
	test(`"${sentence.replace("\n", " ")}" leaves DEPTH alone`, () => {
		assert.deepEqual(steer(sentence), { ...nothing, offLimits: ["DEPTH"] });
	});
}

for (const sentence of [
	"Focus on MATRIX_LR.",
	"Please concentrate on `matrix_lr` tonight.",
	"Try other values of MATRIX_LR",
	"Tune MATRIX_LR first.",
	"Prioritise MATRIX_LR",
]) {
	test(`"${sentence}" prefers MATRIX_LR`, () => {
		assert.deepEqual(steer(sentence), { ...nothing, focus: ["MATRIX_LR"] });
	});
}

test("lists under a heading are off limits or in focus, until the next heading of its rank", () => {
	const markdown =
		"# Rules\n## Off limits\n- `DEPTH`, `WIDTH`\n### Also\n* ROWS\n## Focus\n1. MATRIX_LR\n## Ideas\n- EMBED_LR is interesting\n";
	assert.deepEqual(steer(markdown), { ...nothing, offLimits: ["DEPTH", "WIDTH", "ROWS"], focus: ["MATRIX_LR"] });
});

test("one sentence may focus on one constant and forbid another", () => {
	const expected = { ...nothing, offLimits: ["DEPTH"], focus: ["MATRIX_LR"] };
	assert.deepEqual(steer("Focus on MATRIX_LR, but do not change DEPTH."), expected);
	assert.deepEqual(steer("Focus on MATRIX_LR; leave DEPTH alone."), expected);
});

test("off limits wins over focus", () => {
	assert.deepEqual(steer("Focus on DEPTH.\n\nDo not change DEPTH."), { ...nothing, offLimits: ["DEPTH"] });
});

test("a star names a family", () => {
	assert.deepEqual(steer("Do not change any `*_LR`."), { ...nothing, offLimits: ["MATRIX_LR", "EMBED_LR"] });
	assert.deepEqual(steer("Focus on *_LR."), { ...nothing, focus: ["MATRIX_LR", "EMBED_LR"] });
});

test("only changing some leaves all others alone", () => {
	assert.deepEqual(steer("Only change MATRIX_LR and EMBED_LR.").offLimits, ["DEPTH", "WIDTH", "ROWS", "ACTIVATION"]);
	for (const sentence of ["Change nothing but ROWS.", "Do not touch anything except ROWS.", "Tune only ROWS"]) {
		assert.deepEqual(
			steer(sentence).offLimits,
			NAMES.filter((name) => name !== "ROWS"),
			sentence,
		);
	}
});

test("a stated limit is a limit, not a prohibition", () => {
	assert.deepEqual(steer("Keep DEPTH at most 6.").limits, { DEPTH: { max: 6, maxExcluded: false } });
	assert.deepEqual(steer("Try MATRIX_LR between 0.01 and 0.05.").limits, { MATRIX_LR: { min: 0.01, max: 0.05 } });
	assert.deepEqual(steer("Do not raise DEPTH above 8.").limits, { DEPTH: { max: 8, maxExcluded: false } });
	assert.deepEqual(steer("Never go below 2 for DEPTH.").limits, { DEPTH: { min: 2, minExcluded: false } });
	assert.deepEqual(steer("Do not raise DEPTH above 8.").offLimits, []);
	assert.deepEqual(steer("DEPTH must not exceed 6.").limits, { DEPTH: { max: 6, maxExcluded: false } });
});

test("an encouragement or a remark is no prohibition", () => {
	assert.deepEqual(steer("Don't be afraid to change DEPTH."), nothing);
	assert.deepEqual(steer("The budget is fixed, so DEPTH matters."), nothing);
	assert.deepEqual(steer("Do not hesitate to try WIDTH."), { ...nothing, focus: ["WIDTH"] });
});

test("a direction can be closed", () => {
	assert.deepEqual(steer("Do not raise DEPTH."), { ...nothing, oneWay: { DEPTH: "down" } });
	assert.deepEqual(steer("Never shrink WIDTH."), { ...nothing, oneWay: { WIDTH: "up" } });
});

test("code, comments and other words steer nothing", () => {
	assert.deepEqual(
		steer("```\nDo not change DEPTH.\n```\n<!-- Do not change DEPTH. -->\nDEPTH is 4 today. The DEPTHS of night."),
		nothing,
	);
	assert.deepEqual(steer("We need depth of thought, so focus on ideas."), nothing);
});

test("the program.md that comes with the repository steers nothing by itself", () => {
	const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
	const names = readConstants("train.ts", read("trainer/train.ts")).map((constant) => constant.name);
	const { offLimits, focus, limits, oneWay } = readSteering(read("program.md"), [...names, ...NAMES]);
	assert.deepEqual([...offLimits, ...focus, ...limits.keys(), ...oneWay.keys()], []);
});
