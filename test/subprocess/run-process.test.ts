/** Running a program in a process group: time limits, logs, lines, and the end of the whole group. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { endLeftover } from "../../src/subprocess/group.ts";
import { identityOf, isAlive } from "../../src/subprocess/identity.ts";
import { type ProcessRequest, runProcess } from "../../src/subprocess/run-process.ts";
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

/** A killed process closes its pipes a moment before it is gone. */
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
	assert.match(readFileSync(wanted.logPath!, "utf8"), /one\rtwo\nthree/);
});

test("a very long line keeps its beginning, in one piece or in many", async (t) => {
	const line = `ValueError: ${"B".repeat(3_000_000)}`;
	const whole = await runProcess(request(t, `printf 'ValueError: '; head -c 3000000 /dev/zero | tr '\\0' B; echo`));
	assert.deepEqual(whole.tail, [line.slice(0, 4096)]);
	const unended = await runProcess(request(t, `printf 'ValueError: '; head -c 3000000 /dev/zero | tr '\\0' B`));
	assert.deepEqual(unended.tail, whole.tail);
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

test("a program that outlives its time is ended with everything it started", async (t) => {
	const wanted = request(t, "trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000", { timeoutSeconds: 0.3 });
	const result = await runProcess(wanted);
	assert.equal(result.timedOut, true);
	const child = Number(readFileSync(wanted.logPath!, "utf8"));
	assert.ok(child > 0);
	await gone(child);
});

test("what a program leaves in the background is ended with it, though it holds the pipes open", async (t) => {
	const wanted = request(t, "sleep 1000 & echo $!");
	const result = await runProcess(wanted);
	assert.equal(result.code, 0);
	await gone(Number(readFileSync(wanted.logPath!, "utf8")));
});

test("a process that has left the group is not waited for, and its later output is dropped", async (t) => {
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

test("an abort ends the program, and its result differs from a timeout's", async (t) => {
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
	assert.ok(readFileSync(wanted.logPath!).length < 17 * 1024 * 1024);
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

test("a program's input is written to it and closed, and a character that two chunks share stays whole", async (t) => {
	const texts: string[] = [];
	const script = "cat; printf '\\303'; sleep 0.1; printf '\\251'";
	const wanted = request(t, script, { input: "question\n", onText: (text, stream) => texts.push(`${stream} ${text}`) });
	const result = await runProcess(wanted);
	assert.equal(result.code, 0);
	assert.equal(texts.map((text) => text.replace("stdout ", "")).join(""), "question\n\u00e9");
});

test("where no descriptor is left, the program is a result that could not be started, not an exception", async (t) => {
	const script = `
		import { openSync } from "node:fs";
		import { runProcess } from ${JSON.stringify(new URL("../../src/subprocess/run-process.ts", import.meta.url).href)};
		const held = [];
		try { for (;;) held.push(openSync("/dev/null", "r")); } catch {}
		const { signal } = new AbortController();
		const { spawnError } = await runProcess({ command: ["true"], cwd: "/", env: {}, signal });
		process.stdout.write(spawnError.code);
	`;
	const command = ["sh", "-c", 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, script];
	const said: string[] = [];
	const result = await runProcess(request(t, "", { command, onText: (text) => said.push(text) }));
	assert.match(said.join(""), /^EMFILE$/, result.tail.join("\n"));
});

for (const [file, path] of [
	["pid file", "pidPath"],
	["log", "logPath"],
] as const)
	test(`where the ${file} cannot be written, no program runs on unseen`, async (t) => {
		const program = `sleep 1000.${process.pid}`;
		const wanted = request(t, `exec ${program}`);
		await assert.rejects(runProcess({ ...wanted, [path]: join(wanted.cwd, "missing/file") }), /ENOENT/);
		// A shell that was started has become the program by then.
		await sleep(100);
		const running = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n");
		const left = running.filter((line) => line.trim().split(" ").slice(1).join(" ").startsWith(program));
		for (const line of left) process.kill(Number.parseInt(line, 10), "SIGKILL");
		assert.deepEqual(left, []);
	});
