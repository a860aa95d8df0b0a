/** The library that a built-in lab's researcher may read is the one its training file gets. */
import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Repository } from "../../src/git/repository.ts";
import { RunDir } from "../../src/journal/run-dir.ts";
import { initialState } from "../../src/journal/state.ts";
import { loadLab } from "../../src/lab/lab.ts";
import { ignoredLibraryFiles, libraryFiles } from "../../src/lab/library.ts";
import { evidenceOf } from "../../src/loop/evidence.ts";
import { packageRoot } from "../../src/package-root.ts";
import { makeLab } from "../support/lab.ts";

const BUILT_IN = { edit: ["src/train.ts"], train: "built-in", evaluate: "built-in" };

test("a lab of a training file alone has the console's library beside that file, to read", async (t) => {
	const made = makeLab(t, { lab: BUILT_IN });
	made.write("src/train.ts", "export {};\n");
	made.write("src/tensor/index.ts", "export const stale = true;\n");
	made.git("add", "--all");
	made.git("commit", "--quiet", "--message", "a file and a stale library");
	const lab = loadLab(made.dir);
	const repository = await Repository.open(lab.dir);
	const parts = { lab, repository, dir: new RunDir(lab.dir, "t"), store: { state: initialState() } };
	const evidence = evidenceOf(parts, made.git("rev-parse", "HEAD"));
	const listed = await evidence.list();
	for (const path of ["src/train.ts", "src/contract.ts", "src/tensor/index.ts", "src/tensor/ops/table.ts"])
		assert.ok(listed.includes(path), path);
	assert.equal(listed.length, new Set(listed).size);
	const own = readFileSync(join(packageRoot, "trainer/tensor/index.ts"), "utf8");
	assert.equal(await evidence.read("src/tensor/index.ts"), own);
	await assert.rejects(evidence.read("src/tensor/../../../x.ts"));
	assert.deepEqual(ignoredLibraryFiles(lab), ["src/tensor/index.ts"]);
});

test("an unedited copy of the library is not told of, and a lab with a command has none", (t) => {
	const made = makeLab(t, { lab: BUILT_IN });
	cpSync(join(packageRoot, "trainer"), join(made.dir, "src"), { recursive: true });
	const lab = loadLab(made.dir);
	assert.deepEqual(ignoredLibraryFiles(lab), []);
	made.write("src/tensor/ops/mine.ts", "export {};\n");
	assert.deepEqual(ignoredLibraryFiles(lab), ["src/tensor/ops/mine.ts"]);
	assert.deepEqual(libraryFiles(loadLab(makeLab(t).dir)), []);
});
