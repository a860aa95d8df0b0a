/** Reading autoresearch.json, and the message for each mistake in it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "../../src/lab/duration.ts";
import { loadLab, parseLab } from "../../src/lab/lab.ts";
import { packageRoot } from "../../src/package-root.ts";
import { tempDir } from "../support/lab.ts";

const minimal = { name: "x", edit: ["train.ts"] };
const parse = (json: object) => parseLab(JSON.stringify(json), "autoresearch.json");

test("the repository itself is a lab: five minutes, val_bpb, one file to edit", () => {
	const lab = loadLab(packageRoot);
	assert.deepEqual(lab.edit, ["trainer/train.ts"]);
	assert.equal(lab.budget, 300);
	assert.deepEqual(lab.metric, { name: "val_bpb", direction: "lower" });
});

test("everything but the name and the editable files has a default", () => {
	const lab = parse(minimal);
	assert.equal(lab.train, "built-in");
	assert.equal(lab.program, "program.md");
	assert.deepEqual(lab.data, { source: "sotu", vocabulary: 4096 });
	assert.equal(lab.timeout, undefined);
});

test("a file named twice is one file", () => {
	assert.deepEqual(parse({ ...minimal, edit: ["train.ts", "./train.ts", "a.ts"] }).edit, ["train.ts", "a.ts"]);
});

const wrong: [object, RegExp][] = [
	[{ edit: ["a"] }, /name/],
	[{ name: "x" }, /edit/],
	[{ name: "x", edit: [] }, /edit/],
	[{ ...minimal, edit: ["../outside.ts"] }, /edit\.0: must be a path inside the lab/],
	[{ ...minimal, edit: ["/etc/passwd"] }, /edit\.0: must be a path inside the lab/],
	[{ ...minimal, budget: "soon" }, /budget: must be a duration such as "5m"/],
	[{ ...minimal, budget: 300 }, /budget: must be a duration such as "5m"/],
	[{ ...minimal, bugdet: "5m" }, /bugdet: no such setting/],
	[{ ...minimal, metric: { name: "acc", direction: "up" } }, /metric\.direction/],
	[{ ...minimal, data: { vocabulary: 12 } }, /data\.vocabulary/],
	[{ ...minimal, train: "mine" }, /train: must be "built-in" or/],
	[{ ...minimal, train: { command: ["x"] } }, /evaluate: .*give a command of your own/],
];
for (const [json, message] of wrong) {
	test(`a wrong lab file names its key: ${message.source}`, () => {
		assert.throws(() => parse(json), { name: "UserError", message });
	});
}

test("a lab file that is not JSON, and a folder without one, are said so", (t) => {
	assert.throws(() => parseLab("{", "lab/autoresearch.json"), { name: "UserError", message: /not valid JSON/ });
	assert.throws(() => loadLab(tempDir(t)), { name: "UserError", message: /no autoresearch\.json in .*--lab DIR/ });
	assert.throws(() => loadLab("/no/such/folder"), { name: "UserError", message: /is not a folder/ });
});

test("durations are read as people write them", () => {
	const cases = { "5m": 300, "30s": 30, "1h30m": 5400, "90": 90, "1.5m": 90, "500ms": 0.5, " 2H ": 7200 };
	for (const [text, seconds] of Object.entries(cases)) assert.equal(parseDuration(text), seconds, text);
	for (const text of ["", "0", "0s", "-5m", "m", "5 minutes", "5m!", "Infinity"])
		assert.equal(parseDuration(text), undefined, text);
});
