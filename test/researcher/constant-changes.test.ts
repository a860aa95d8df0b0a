/** The constants an edit changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changedConstants } from "../../src/researcher/constant-changes.ts";

test("a new value of a constant is named, a new comment is not", () => {
	const before = "const A = 1;\nconst B = 2;\n";
	assert.deepEqual(changedConstants("a.ts", before, "const A = 1; // one\nconst B = 3;\nconst C = 4;\n"), [
		{ name: "B", from: "2", to: "3" },
	]);
});
