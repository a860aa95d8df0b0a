/** What becomes of a command whose output cannot be written: `| head`, a full disk. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { BIN } from "../support/cli.ts";
import { makeLab } from "../support/lab.ts";

/** Runs a command whose standard output nobody reads, or goes to the file `stdout`. */
async function unread(t: TestContext, args: string[], stdout?: string): Promise<{ code: number; stderr: string }> {
	const fd = stdout === undefined ? undefined : openSync(stdout, "w");
	const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", fd ?? "pipe", "pipe"] });
	t.after(() => child.kill("SIGKILL"));
	if (fd !== undefined) closeSync(fd);
	child.stdout?.destroy();
	const ended = new Promise<number>((resolve) => child.once("close", resolve));
	return { stderr: await text(child.stderr!), code: await ended };
}

test("a reader that goes away ends a command without an error, and ends no run", async (t) => {
	for (const args of [["--help"], ["steer", "--help"]])
		assert.deepEqual(await unread(t, args), { code: 0, stderr: "" }, args.join(" "));
	const lab = makeLab(t);
	const run = ["run", "--lab", lab.dir, "--tag", "demo", "--experiments", "3", "--researcher", "search"];
	assert.deepEqual(await unread(t, run), { code: 0, stderr: "" });
	assert.equal(readFileSync(join(lab.dir, "results/demo/results.tsv"), "utf8").trimEnd().split("\n").length, 4);
	assert.deepEqual(await unread(t, ["results", "--lab", lab.dir, "--tag", "demo", "--json"]), { code: 0, stderr: "" });
});

test("a full disk under the output is told in a sentence", {
	skip: !existsSync("/dev/full") && "no /dev/full",
}, async (t) => {
	assert.deepEqual(await unread(t, ["--help"], "/dev/full"), {
		code: 1,
		stderr: "autoresearch: standard output cannot be written: ENOSPC: no space left on device, write\n",
	});
});
