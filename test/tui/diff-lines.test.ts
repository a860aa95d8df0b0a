import assert from "node:assert/strict";
import { test } from "node:test";
import { condensed, parseDiff } from "../../src/tui/diff-lines.ts";

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

test("a changed line is never taken for a file's name", () => {
	const lines = parseDiff(DIFF);
	assert.deepEqual(
		lines.filter(({ kind }) => kind === "file").map(({ text }) => text),
		["train.ts", "other.ts"],
	);
	assert.ok(lines.some(({ kind, text }) => kind === "added" && text === "+++ an added one"));
});

test("with little room only the changes are left, and the names of several files", () => {
	assert.deepEqual(
		condensed(parseDiff(DIFF), 0).map(({ kind }) => kind),
		["file", "removed", "removed", "added", "added", "added", "file", "hunk", "removed", "added"],
	);
});

test("no diff, and text that is none, have no lines", () => {
	assert.deepEqual(parseDiff(""), []);
	assert.deepEqual(parseDiff("fatal: bad object"), []);
});
