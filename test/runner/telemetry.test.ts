/** What nvidia-smi reports, parsed and summarised. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { parseSample, summarize, Telemetry } from "../../src/runner/telemetry.ts";
import { tempDir } from "../support/lab.ts";

test("a line of nvidia-smi is a second of a GPU", () => {
	assert.deepEqual(parseSample("97, 41234, 63, 689.12"), {
		load: 0.97,
		memoryMb: 41234,
		temperature: 63,
		watts: 689.12,
	});
});

test("what a GPU does not measure is absent, and what nvidia-smi says when it fails is no sample", () => {
	assert.deepEqual(parseSample("12, [N/A], 40, [Not Supported]"), { load: 0.12, temperature: 40 });
	assert.equal(parseSample("No devices were found"), undefined);
	assert.equal(parseSample("[N/A], [N/A], [N/A], [N/A]"), undefined);
});

test("an experiment's record has means of rates over its time, and peaks of levels", () => {
	const samples = [
		{ load: 0.5, memoryMb: 100, watts: 300, seconds: 3 },
		{ load: 1, memoryMb: 300, temperature: 70, watts: 500, seconds: 1 },
	];
	assert.deepEqual(summarize(samples), {
		meanLoad: 0.625,
		peakMemoryMb: 300,
		peakTemperature: 70,
		meanWatts: 350,
		seconds: 4,
	});
	assert.equal(summarize([]), undefined);
});

test("without nvidia-smi there is no telemetry, and no error", async () => {
	const telemetry = new Telemetry("cuda:0", "/nonexistent/nvidia-smi");
	await sleep(50);
	telemetry.stop();
	assert.equal(telemetry.use, undefined);
});

/** A program in nvidia-smi's place. */
function fakeNvidiaSmi(t: TestContext, script: string): string {
	const program = join(tempDir(t), "nvidia-smi");
	writeFileSync(program, `#!/bin/sh\n${script}\n`);
	chmodSync(program, 0o755);
	return program;
}

test("nvidia-smi is asked once, about the GPU that trains", async (t) => {
	// Answers for that GPU only, then waits like --loop=1 does.
	const program = fakeNvidiaSmi(t, 'case "$1" in --id=1) echo "50, 2048, 50, 128";; esac\nexec sleep 100');
	const telemetry = new Telemetry("cuda:1", program);
	while (!telemetry.latest) await sleep(10);
	telemetry.stop();
	const { seconds, ...use } = telemetry.use!;
	assert.deepEqual(use, { meanLoad: 0.5, peakMemoryMb: 2048, peakTemperature: 50, meanWatts: 128 });
	assert.ok(seconds > 0);
});

test("lines that come late stand for the time that has passed", async (t) => {
	const program = fakeNvidiaSmi(t, "echo 0, 1, 1, 1; sleep 0.5; echo 100, 1, 1, 1; exec sleep 100");
	const telemetry = new Telemetry("cuda:0", program);
	while (telemetry.latest?.load !== 1) await sleep(10);
	telemetry.stop();
	assert.ok(telemetry.use!.seconds >= 0.5);
});

test("what nvidia-smi said last is not said for long after it has died", async (t) => {
	const telemetry = new Telemetry("cuda:0", fakeNvidiaSmi(t, "echo 50, 2048, 50, 128"));
	while (!telemetry.latest) await sleep(10);
	while (telemetry.latest) await sleep(100);
	assert.equal(telemetry.use!.meanLoad, 0.5, "the record keeps it");
	telemetry.stop();
});

test("a program that does not end is not waited for", async (t) => {
	const program = fakeNvidiaSmi(t, 'trap "" TERM\necho 50, 2048, 50, 128\nwhile :; do sleep 1; done');
	const script = `
		const { Telemetry } = await import(${JSON.stringify(import.meta.resolve("../../src/runner/telemetry.ts"))});
		const telemetry = new Telemetry("cuda:0", ${JSON.stringify(program)});
		while (!telemetry.latest) await new Promise((done) => setTimeout(done, 10));
		telemetry.stop();`;
	const args = ["--import", "tsx", "--input-type=module", "--eval", script];
	await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
});
