/** program.md: its versions, its watcher, and what happens while it cannot be read. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Program, versionOf } from "../../src/program/program.ts";
import { tempDir } from "../support/lab.ts";

async function watched(t: TestContext, text = "first\n") {
	const dir = tempDir(t);
	const path = join(dir, "program.md");
	writeFileSync(path, text);
	const program = new Program(path, join(dir, "versions"));
	const seen: string[] = [];
	let heard = () => {};
	const listener = {
		changed: ({ text }: { text: string }) => {
			seen.push(`changed: ${text.trim()}`);
			heard();
		},
		unusable: (reason: string) => {
			seen.push(`unusable: ${reason}`);
			heard();
		},
		usable: () => {
			seen.push("usable");
			heard();
		},
	};
	await program.watch(listener);
	t.after(() => program.close());
	/** Resolves when something more was heard. */
	const next = () => new Promise<void>((resolve) => (heard = resolve));
	return { dir, path, program, seen, next };
}

test("a save in place, a rename-over and vim's backup save are each one change", async (t) => {
	const { path, seen, next, program } = await watched(t);
	let change = next();
	writeFileSync(path, "second\n");
	await change;
	change = next();
	writeFileSync(`${path}.tmp`, "third\n");
	renameSync(`${path}.tmp`, path);
	await change;
	change = next();
	renameSync(path, `${path}~`);
	writeFileSync(path, "fourth\n");
	rmSync(`${path}~`);
	await change;
	assert.deepEqual(
		seen.filter((line) => line.startsWith("changed")),
		["changed: second", "changed: third", "changed: fourth"],
	);
	assert.equal(program.current.version, versionOf("fourth\n"));
});

test("a deleted or emptied program.md is reported once, and its last good version stays in use", async (t) => {
	const { path, seen, next, program } = await watched(t);
	let change = next();
	rmSync(path);
	await change;
	assert.equal(program.current.text, "first\n");
	change = next();
	writeFileSync(path, "   \n");
	await change;
	change = next();
	writeFileSync(path, "first\n");
	await change;
	assert.deepEqual(seen, ["unusable: is not there", "unusable: is empty", "usable"]);
});

test("every version that steered can be read again", async (t) => {
	const { path, next, program } = await watched(t);
	const change = next();
	writeFileSync(path, "second\n");
	await change;
	assert.equal(program.read(versionOf("first\n")), "first\n");
	assert.equal(program.read(versionOf("second\n")), "second\n");
	assert.equal(program.read("00000000"), undefined);
});

test("a run cannot begin without a program.md, but can carry on under its last version", (t) => {
	const dir = tempDir(t);
	const path = join(dir, "program.md");
	assert.throws(() => new Program(path, join(dir, "versions")), {
		name: "UserError",
		message: /is not there: write what/,
	});
	mkdirSync(path);
	assert.throws(() => new Program(path, join(dir, "versions")), { name: "UserError", message: /cannot be read/ });
	rmSync(path, { recursive: true });
	writeFileSync(path, "text\n");
	const { version } = new Program(path, join(dir, "versions")).current;
	rmSync(path);
	assert.equal(new Program(path, join(dir, "versions"), version).current.text, "text\n");
});

test("a brief is written from a file that is no longer being written", async (t) => {
	const { path, program, seen } = await watched(t);
	writeFileSync(path, "half");
	const reading = program.refresh();
	writeFileSync(path, "half and half\n");
	await reading;
	assert.equal(program.current.text, "half and half\n");
	assert.deepEqual(seen, ["changed: half and half"], "the listener given to watch() hears what refresh() finds");
});
