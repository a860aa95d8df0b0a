import assert from "node:assert/strict";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { identityOf, isAlive } from "../../src/subprocess/identity.ts";
import { endLeftover, type ProcessRequest, printable, runProcess } from "../../src/subprocess/process.ts";
import { tempDir } from "../support/lab.ts";

function request(t: TestContext, script: string, more: Partial<ProcessRequest> = {}): ProcessRequest {
	const dir = tempDir(t);
	const { signal } = new AbortController();
	return {
		command: ["sh", "-c", script],
		cwd: dir,
		env: process.env,
		logPath: join(dir, "log"),
		timeoutSeconds: 60,
		signal,
		...more,
	};
}

/** A process that was killed lets go of its pipes a moment before it is gone. */
async function gone(pid: number): Promise<void> {
	for (let tries = 0; tries < 800 && isAlive(identityOf(pid)); tries++) await sleep(5);
	assert.equal(isAlive(identityOf(pid)), false);
}

test("both streams go to the log, and to the listener line by line", async (t) => {
	const lines: string[] = [];
	const wanted = request(t, "printf 'one\\rtwo\\nthree'; echo four >&2", { onLine: (line) => lines.push(line) });
	const result = await runProcess(wanted);
	assert.equal(result.code, 0);
	assert.deepEqual(lines.sort(), ["four", "one", "three", "two"]);
	assert.match(readFileSync(wanted.logPath, "utf8"), /one\rtwo\nthree/);
});

test("a progress line is heard when it is printed, though nothing ends it yet", async (t) => {
	const controller = new AbortController();
	const lines: string[] = [];
	const onLine = (line: string) => {
		lines.push(line);
		controller.abort();
	};
	await runProcess(request(t, "printf '\\rstep 00001 (0.0%%)    '; sleep 1000", { signal: controller.signal, onLine }));
	assert.deepEqual(lines, ["step 00001 (0.0%)"]);
});

test("a program that is started early is told to begin by a line, and its time counts from then", async (t) => {
	const { promise, resolve } = Promise.withResolvers<void>();
	const lines: string[] = [];
	const onLine = (line: string) => {
		lines.push(line);
		if (line === "ready") void sleep(1500).then(resolve);
	};
	const script = "echo ready; read line; echo begun";
	const result = await runProcess(request(t, script, { begin: promise, timeoutSeconds: 1, onLine }));
	assert.deepEqual([result.code, result.timedOut, lines], [0, false, ["ready", "begun"]]);
});

test("a program that was not told to begin is ended like any other", async (t) => {
	const controller = new AbortController();
	const onLine = () => controller.abort();
	const begin = new Promise<void>(() => {});
	const result = await runProcess(request(t, "echo ready; read line", { begin, signal: controller.signal, onLine }));
	assert.equal(result.aborted, true);
});

test("a program that outlives its time is ended with everything it started", async (t) => {
	const wanted = request(t, "trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000", { timeoutSeconds: 0.3 });
	const result = await runProcess(wanted);
	assert.equal(result.timedOut, true);
	const child = Number(readFileSync(wanted.logPath, "utf8"));
	assert.ok(child > 0);
	await gone(child);
});

test("what a program leaves in the background is ended with it, though it holds the pipes open", async (t) => {
	const wanted = request(t, "sleep 1000 & echo $!");
	const result = await runProcess(wanted);
	assert.equal(result.code, 0);
	await gone(Number(readFileSync(wanted.logPath, "utf8")));
});

test("what has left the group keeps nobody waiting, and what it prints afterwards goes nowhere", async (t) => {
	const leave = "setsid sh -c 'echo $$ > away; sleep 1.5; echo late; sleep 5' & until [ -s away ]; do sleep 0.01; done";
	const wanted = request(t, leave);
	const result = await runProcess(wanted);
	// The log's descriptor is free again: the next file gets it.
	const next = join(wanted.cwd, "next");
	const fd = openSync(next, "w");
	t.after(() => closeSync(fd));
	assert.equal(result.code, 0);
	await gone(Number(readFileSync(join(wanted.cwd, "away"), "utf8")));
	assert.equal(readFileSync(next, "utf8"), "");
});

test("an abort ends the program, and is told apart from a timeout", async (t) => {
	const controller = new AbortController();
	const running = runProcess(
		request(t, "echo up; sleep 1000", { signal: controller.signal, onLine: () => controller.abort() }),
	);
	const result = await running;
	assert.equal(result.aborted, true);
	assert.equal(result.timedOut, false);
});

test("a program that cannot be started is a result, not an exception", async (t) => {
	const result = await runProcess(request(t, "", { command: ["/no/such/program"] }));
	assert.match(result.spawnError!.message, /ENOENT/);
});

test("a program that prints without end fills neither the disk nor the memory", async (t) => {
	const wanted = request(t, "head -c 40000000 /dev/zero | tr '\\0' x");
	const result = await runProcess(wanted);
	assert.equal(result.code, 0);
	assert.ok(readFileSync(wanted.logPath).length < 17 * 1024 * 1024);
	assert.ok(result.tail.join("").length < 1_000_000);
});

test("a group left over by a killed console is found by its pid file and ended; a recycled pid is not", async (t) => {
	const dir = tempDir(t);
	const controller = new AbortController();
	const pidPath = join(dir, "pid");
	const running = runProcess(
		request(t, "echo up; sleep 1000", {
			pidPath,
			signal: controller.signal,
			onLine: () => {
				const identity = readFileSync(pidPath, "utf8");
				const [pid, since] = identity.split(" ");
				writeFileSync(join(dir, "recycled"), `${pid} ${Number(since) + 1}`);
				assert.equal(endLeftover(join(dir, "recycled")), false);
				assert.equal(endLeftover(pidPath), true);
			},
		}),
	);
	const result = await running;
	assert.equal(result.signal, "SIGKILL");
	assert.equal(endLeftover(pidPath), false);
	assert.equal(existsSync("/proc"), true, "the test needs /proc");
});

test("escape sequences and control characters never reach the screen", () => {
	assert.equal(printable("a\x1b[31mred\x1b[0m\x07\x1b]0;title\x07b\tc\x9b"), "aredb  c");
});
