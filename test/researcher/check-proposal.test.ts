/** The rules every proposal must keep. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkProposal, submit, TITLE_LIMIT } from "../../src/researcher/check-proposal.ts";
import { EditBuffer } from "../../src/researcher/edit-buffer.ts";
import { type Brief, Rejection } from "../../src/researcher/researcher.ts";
import { briefOf, evidenceOf, TEXT } from "./brief-of.ts";
import { record } from "./search/simulated-run.ts";

const WORDS = { title: "Title.", hypothesis: "Because." };

/** A brief, a buffer of its files, and the result of submitting them. */
function drafted(fields: Partial<Brief> = {}) {
	const brief = briefOf(fields);
	const buffer = new EditBuffer(brief);
	const submitted = (words = WORDS, evidence = evidenceOf()) => submit(brief, buffer, words, evidence);
	return { brief, buffer, submitted };
}

test("a submission names the constants it changed", async () => {
	const { buffer, submitted } = drafted();
	buffer.edit(undefined, "0.02;", "0.04;");
	const { title, files, changes } = await submitted();
	assert.equal(title, "Title");
	assert.equal(files[0]!.text, TEXT.replace("0.02", "0.04"));
	assert.deepEqual(changes, [{ name: "MATRIX_LR", from: "0.02", to: "0.04" }]);
});

test("a title and a hypothesis are lines of bounded length, without escape sequences", async () => {
	const { buffer, submitted } = drafted();
	buffer.edit(undefined, "= 4", "= 5");
	const hypothesis = `\x1b]0;x\x07${"because ".repeat(10_000)}`;
	const proposal = await submitted({ title: "\x1b[31mRaise\x07\nDEPTH.", hypothesis });
	assert.equal(proposal.title, "Raise DEPTH");
	assert.match(proposal.hypothesis, /^because .*…$/);
	assert.ok(proposal.hypothesis.length <= 1000);
	assert.equal((await submitted({ ...WORDS, title: "long ".repeat(100) })).title.length, TITLE_LIMIT);
	await assert.rejects(submitted({ ...WORDS, title: " \n" }), /The title is empty/);
});

test("edits that cancel out are no proposal", async () => {
	const { buffer, submitted } = drafted();
	buffer.edit(undefined, "= 4", "= 5");
	buffer.edit(undefined, "= 5", "= 4");
	await assert.rejects(submitted(), Rejection);
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
	const { buffer, submitted } = drafted({ history, best: 2 });
	buffer.edit(undefined, "= 4", "= 2");
	buffer.edit(undefined, "0.02;", "0.030;");
	await assert.rejects(submitted(), /tried together before/);
});

test("the same lines as an old experiment on the same base are a repeat, whatever the spaces", async () => {
	const history = [
		...briefOf().history,
		record({ n: 4, parent: "c0", commit: "c4", status: "discard", value: 2, title: "Square" }),
	];
	const diff =
		"--- a/train.ts\n+++ b/train.ts\n@@ -6 +6 @@\n-\treturn MATRIX_LR * DEPTH;\n+\treturn  MATRIX_LR ** 2;\n";
	const { buffer, submitted } = drafted({ history });
	buffer.edit(undefined, "MATRIX_LR * DEPTH", "MATRIX_LR ** 2");
	await assert.rejects(
		submitted(WORDS, evidenceOf({ diff: async (n) => (n === 4 ? diff : "") })),
		/repeats experiment 4/,
	);
	buffer.edit(undefined, "MATRIX_LR ** 2", "MATRIX_LR ** 3");
	await submitted(WORDS, evidenceOf({ diff: async (n) => (n === 4 ? diff : "") }));
});

test("what trains now is not proposed again", async () => {
	const pending = [record({ n: 4, parent: "c0", commit: "c4", changes: [{ name: "DEPTH", from: "4", to: "5" }] })];
	const { buffer, submitted } = drafted({ pending });
	buffer.edit(undefined, "= 4", "= 5");
	await assert.rejects(submitted(), /repeats experiment 4/);
});

test("a file in another language is taken as it is", async () => {
	const { buffer, submitted } = drafted({ files: [{ path: "train.py", text: "LR = 0.02\n" }] });
	buffer.edit(undefined, "0.02", "0.03");
	const { files, changes } = await submitted();
	assert.equal(files[0]!.text, "LR = 0.03\n");
	assert.deepEqual(changes, []);
});

test("a proposal of whatever origin may change the editable files only, and must change one", () => {
	const editable = [{ path: "train.ts", text: TEXT }];
	const proposal = (path: string, text: string) => ({ ...WORDS, files: [{ path, text }], changes: [] });
	assert.equal(checkProposal(proposal("train.ts", "const DEPTH = 5;\n"), editable).files.length, 1);
	assert.throws(
		() => checkProposal(proposal("metric.ts", "0"), editable),
		/metric\.ts may not be edited; only train\.ts/,
	);
	assert.throws(() => checkProposal(proposal("train.ts", TEXT), editable), Rejection);
});
