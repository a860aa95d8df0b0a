/** Edits of the files that a proposal may change. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EditBuffer } from "../../src/researcher/edit-buffer.ts";
import { briefOf, TEXT } from "./brief-of.ts";

test("edits add up, and the last text is what the buffer holds", () => {
	const buffer = new EditBuffer(briefOf());
	buffer.edit(undefined, "0.02;", "0.03;");
	buffer.edit("train.ts", "0.03;", "0.04;");
	assert.deepEqual(buffer.files, [{ path: "train.ts", text: TEXT.replace("0.02", "0.04") }]);
});

test("a preview leaves the buffer as it is", () => {
	const buffer = new EditBuffer(briefOf());
	assert.equal(buffer.preview(undefined, "= 4", "= 5")![0]!.text, TEXT.replace("= 4", "= 5"));
	assert.equal(buffer.preview(undefined, "nowhere", "x"), undefined);
	assert.deepEqual(buffer.files, []);
});

test("dollar signs in a replacement are text", () => {
	const buffer = new EditBuffer(briefOf());
	buffer.edit(undefined, "return MATRIX_LR", "return `$&$1` && MATRIX_LR");
	assert.match(buffer.files[0]!.text, /return `\$&\$1` && MATRIX_LR/);
});

test("a file with CRLF line ends is edited by lines with LF, and keeps its own", () => {
	const crlf = TEXT.replaceAll("\n", "\r\n");
	const buffer = new EditBuffer(briefOf({ files: [{ path: "train.ts", text: crlf }] }));
	buffer.edit(undefined, "= 4; // 1..12\n\nexport", "= 5; // 1..12\n\n// Deeper.\nexport");
	const [file] = buffer.files;
	assert.equal(file!.text, crlf.replace("= 4;", "= 5;").replace("export", "// Deeper.\r\nexport"));
});

test("lines with CRLF fit a file with LF, which keeps its own", () => {
	const buffer = new EditBuffer(briefOf());
	buffer.edit(undefined, "model.\r\nconst MATRIX_LR = 0.02", "model.\r\nconst MATRIX_LR = 0.03");
	assert.equal(buffer.read("train.ts"), TEXT.replace("0.02", "0.03"));
});

test("an edit that fits in two places is not made, though the places overlap", () => {
	const buffer = new EditBuffer(briefOf({ files: [{ path: "train.ts", text: "f(a, a, a);\n" }] }));
	assert.throws(() => buffer.edit(undefined, "a, a", "b"), /more than once in train\.ts \(lines 1, 1\)/);
});

test("where a lab has several editable files, each is edited by its path", () => {
	const files = [
		{ path: "model.ts", text: "const A = 1;\n" },
		{ path: "optim.ts", text: "const B = 1;\n" },
	];
	const buffer = new EditBuffer(briefOf({ files }));
	buffer.edit("optim.ts", "1", "2");
	assert.deepEqual(buffer.files, [{ path: "optim.ts", text: "const B = 2;\n" }]);
});

test("edits that cancel out are no edit, and neither is a crashed text that stays as it was", () => {
	const buffer = new EditBuffer(briefOf());
	assert.equal(buffer.isEdited, false);
	buffer.edit(undefined, "= 4", "= 5");
	assert.equal(buffer.isEdited, true);
	buffer.edit(undefined, "= 5", "= 4");
	assert.equal(buffer.isEdited, false);
	const crashed = new EditBuffer(briefOf(), [{ path: "train.ts", text: TEXT.replace("= 4", "= 5") }]);
	assert.equal(crashed.files.length, 1);
	assert.equal(crashed.isEdited, false);
});
