import assert from "node:assert/strict";
import { test } from "node:test";
import { changedConstants, Draft, Rejection } from "../../src/researcher/draft.ts";
import { briefOf, evidenceOf, TEXT } from "./brief-of.ts";
import { record } from "./search/simulated-night.ts";

const submit = (draft: Draft, evidence = evidenceOf()) => draft.submit("Title.", "Because.", evidence);

test("edits add up, and the last text is what is submitted", async () => {
	const draft = new Draft(briefOf());
	draft.edit(undefined, "0.02;", "0.03;");
	draft.edit("train.ts", "0.03;", "0.04;");
	const { files, changes, title } = await submit(draft);
	assert.equal(files[0]!.text, TEXT.replace("0.02", "0.04"));
	assert.deepEqual(changes, [{ name: "MATRIX_LR", from: "0.02", to: "0.04" }]);
	assert.equal(title, "Title");
});

test("a preview leaves the draft as it is", () => {
	const draft = new Draft(briefOf());
	assert.equal(draft.preview(undefined, "= 4", "= 5")![0]!.text, TEXT.replace("= 4", "= 5"));
	assert.equal(draft.preview(undefined, "nowhere", "x"), undefined);
	assert.deepEqual(draft.files, []);
});

test("dollar signs in a replacement are text", async () => {
	const draft = new Draft(briefOf());
	draft.edit(undefined, "return MATRIX_LR", "return `$&$1` && MATRIX_LR");
	assert.match((await submit(draft)).files[0]!.text, /return `\$&\$1` && MATRIX_LR/);
});

test("a file with CRLF line ends is edited by lines with LF, and keeps its own", async () => {
	const crlf = TEXT.replaceAll("\n", "\r\n");
	const draft = new Draft(briefOf({ files: [{ path: "train.ts", text: crlf }] }));
	draft.edit(undefined, "= 4; // 1..12\n\nexport", "= 5; // 1..12\n\n// Deeper.\nexport");
	const [file] = (await submit(draft)).files;
	assert.equal(file!.text, crlf.replace("= 4;", "= 5;").replace("export", "// Deeper.\r\nexport"));
});

test("lines with CRLF fit a file with LF, which keeps its own", () => {
	const draft = new Draft(briefOf());
	draft.edit(undefined, "model.\r\nconst MATRIX_LR = 0.02", "model.\r\nconst MATRIX_LR = 0.03");
	assert.equal(draft.read("train.ts"), TEXT.replace("0.02", "0.03"));
});

test("an edit that fits in two places is not made, though the places overlap", () => {
	const draft = new Draft(briefOf({ files: [{ path: "train.ts", text: "f(a, a, a);\n" }] }));
	assert.throws(() => draft.edit(undefined, "a, a", "b"), /more than once in train\.ts \(lines 1, 1\)/);
});

test("a title and a hypothesis are lines of bounded length, without escape sequences", async () => {
	const draft = new Draft(briefOf());
	draft.edit(undefined, "= 4", "= 5");
	const { title, hypothesis } = await draft.submit(
		"\x1b[31mRaise\x07\nDEPTH.",
		`\x1b]0;x\x07${"because ".repeat(10_000)}`,
	);
	assert.equal(title, "Raise DEPTH");
	assert.match(hypothesis, /^because .*…$/);
	assert.ok(hypothesis.length <= 1000);
});

test("edits that cancel out are no proposal", async () => {
	const draft = new Draft(briefOf());
	draft.edit(undefined, "= 4", "= 5");
	draft.edit(undefined, "= 5", "= 4");
	await assert.rejects(submit(draft), Rejection);
});

test("constants tried together before are a repeat, in whatever order the base got there", async () => {
	const history = [
		record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 1.9 }),
		record({
			n: 2,
			parent: "c0",
			commit: "c2",
			status: "keep",
			value: 1.8,
			changes: [{ name: "DEPTH", from: "2", to: "4" }],
		}),
		record({
			n: 3,
			parent: "c0",
			commit: "c3",
			status: "discard",
			value: 2,
			changes: [{ name: "MATRIX_LR", from: "0.02", to: "0.03" }],
		}),
	];
	const draft = new Draft(briefOf({ history, best: 2 }));
	draft.edit(undefined, "= 4", "= 2");
	draft.edit(undefined, "0.02;", "0.030;");
	await assert.rejects(submit(draft), /tried together before/);
});

test("the same lines as an old experiment on the same base are a repeat, whatever the spaces", async () => {
	const history = [
		...briefOf().history,
		record({ n: 4, parent: "c0", commit: "c4", status: "discard", value: 2, title: "Square" }),
	];
	const diff =
		"--- a/train.ts\n+++ b/train.ts\n@@ -6 +6 @@\n-\treturn MATRIX_LR * DEPTH;\n+\treturn  MATRIX_LR ** 2;\n";
	const draft = new Draft(briefOf({ history }));
	draft.edit(undefined, "MATRIX_LR * DEPTH", "MATRIX_LR ** 2");
	await assert.rejects(submit(draft, evidenceOf({ diff: async (n) => (n === 4 ? diff : "") })), /repeats experiment 4/);
	draft.edit(undefined, "MATRIX_LR ** 2", "MATRIX_LR ** 3");
	await submit(draft, evidenceOf({ diff: async (n) => (n === 4 ? diff : "") }));
});

test("what trains now is not proposed again", async () => {
	const pending = [record({ n: 4, parent: "c0", commit: "c4", changes: [{ name: "DEPTH", from: "4", to: "5" }] })];
	const draft = new Draft(briefOf({ pending }));
	draft.edit(undefined, "= 4", "= 5");
	await assert.rejects(submit(draft), /repeats experiment 4/);
});

test("a file in another language is taken as it is", async () => {
	const draft = new Draft(briefOf({ files: [{ path: "train.py", text: "LR = 0.02\n" }] }));
	draft.edit(undefined, "0.02", "0.03");
	const { files, changes } = await submit(draft);
	assert.equal(files[0]!.text, "LR = 0.03\n");
	assert.deepEqual(changes, []);
});

test("where a lab has several editable files, each is edited by its path", async () => {
	const files = [
		{ path: "model.ts", text: "const A = 1;\n" },
		{ path: "optim.ts", text: "const B = 1;\n" },
	];
	const draft = new Draft(briefOf({ files }));
	draft.edit("optim.ts", "1", "2");
	assert.deepEqual((await submit(draft)).files, [{ path: "optim.ts", text: "const B = 2;\n" }]);
});

test("a new value of a constant is named, a new comment is not", () => {
	const before = "const A = 1;\nconst B = 2;\n";
	assert.deepEqual(changedConstants("a.ts", before, "const A = 1; // one\nconst B = 3;\nconst C = 4;\n"), [
		{ name: "B", from: "2", to: "3" },
	]);
});
