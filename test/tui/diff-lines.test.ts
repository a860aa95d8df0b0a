/** Unified diffs as numbered lines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { condensed, diffLine, parseDiff } from "../../src/tui/diff-lines.ts";
import { lineText } from "../../src/tui/line.ts";

const DIFF = `diff --git a/train.ts b/train.ts
index 1..2 100644
--- a/train.ts
+++ b/train.ts
@@ -10,4 +10,5 @@ function step() {
 const a = 1;
-const b = 2;
--- a removed line that looks like a header
+const b = 3;
++++ an added one
+const c = 4;
 const d = 5;
\\ No newline at end of file
diff --git a/other.ts b/other.ts
--- a/other.ts
+++ b/other.ts
@@ -1 +1 @@
-x
+y
`;

test("lines have the numbers they have in their file", () => {
	const numbered = parseDiff(DIFF).filter(({ number }) => number !== undefined);
	assert.deepEqual(
		numbered.map(({ kind, number }) => `${kind} ${number}`),
		["same 10", "removed 11", "removed 12", "added 11", "added 12", "added 13", "same 14", "removed 1", "added 1"],
	);
});

test("a changed line is never taken for a file's name, and a hunk names its function", () => {
	const lines = parseDiff(DIFF);
	const texts = (wanted: string) => lines.filter(({ kind }) => kind === wanted).map(({ text }) => text);
	assert.deepEqual(texts("file"), ["train.ts", "other.ts"]);
	assert.deepEqual(texts("hunk"), ["function step() {", ""]);
	assert.ok(texts("added").includes("+++ an added one"));
});

test("in a small panel only the changes are left, and the names of several files", () => {
	assert.deepEqual(
		condensed(parseDiff(DIFF), 0).map(({ kind }) => kind),
		["file", "removed", "removed", "added", "added", "added", "file", "hunk", "removed", "added"],
	);
});

test("an empty diff has no lines", () => {
	assert.deepEqual(parseDiff(""), []);
	assert.deepEqual(parseDiff("\n"), []);
});

for (const text of [
	"fatal: bad object\n\u001b[2J0123456",
	"--- a/train.ts\n+++ b/train.ts\n@@ -1,4 +1,4 @@\n const a = 1;\n",
	"--- a/train.ts\n@@ -1 +1 @@\n-x\n+y\n",
]) {
	test(`a text that is not a diff is shown unchanged: ${JSON.stringify(text.slice(0, 24))}`, () => {
		const shown = condensed(parseDiff(text), 0).map((line) => lineText(diffLine(line)));
		assert.deepEqual(shown, text.replace("\u001b[2J", "").trimEnd().split("\n"));
	});
}
