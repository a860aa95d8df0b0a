/** One engine a tag: the lock file, its holder, and a holder that is gone. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { takeLock } from "../../src/engine/lock.ts";
import { UserError } from "../../src/errors.ts";
import { identityOf } from "../../src/subprocess/identity.ts";
import { tempDir } from "../support/lab.ts";

test("a tag is locked once, naming the process that holds it, and free again after its release", (t) => {
	const dir = tempDir(t);
	const path = join(dir, "run", "engine.lock");
	const release = takeLock(path, "demo");
	assert.throws(
		() => takeLock(path, "demo"),
		(error) => error instanceof UserError && error.message.includes(`tag demo is being run by process ${process.pid}:`),
	);
	release();
	assert.deepEqual(readdirSync(join(dir, "run")), [], "nothing is left behind");
	takeLock(path, "demo")();
	assert.ok(!existsSync(path));
});

test("a lock is void when its holder has ended, is another process by now, or was never named", async (t) => {
	const path = join(tempDir(t), "engine.lock");
	const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
	const ended = identityOf(child.pid!);
	await once(child, "close");
	for (const holder of [ended, `${process.pid} 1`, ""]) {
		writeFileSync(path, holder);
		takeLock(path, "demo")();
	}
});
