import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseSample, physicalGpu, summarize, Telemetry } from "../../src/runner/telemetry.ts";
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

test("CUDA's first GPU is the first that CUDA_VISIBLE_DEVICES leaves", () => {
	assert.equal(physicalGpu("cuda:0", "3,1"), "3");
	assert.equal(physicalGpu("cuda:1", "3,GPU-8f2c"), "GPU-8f2c");
	assert.equal(physicalGpu("cuda:2", ""), "2");
	assert.equal(physicalGpu("cpu", ""), undefined);
	assert.equal(physicalGpu("vulkan:0", ""), undefined);
});

test("an experiment's record has means of rates and peaks of levels", () => {
	const samples = [
		{ load: 0.5, memoryMb: 100, watts: 300 },
		{ load: 1, memoryMb: 300, temperature: 70, watts: 500 },
	];
	assert.deepEqual(summarize(samples), {
		meanLoad: 0.75,
		peakMemoryMb: 300,
		peakTemperature: 70,
		meanWatts: 400,
		seconds: 2,
	});
	assert.equal(summarize([]), undefined);
});

test("without nvidia-smi there is no telemetry, and no error", async () => {
	const telemetry = new Telemetry("cuda:0", "/nonexistent/nvidia-smi");
	await sleep(50);
	telemetry.stop();
	assert.equal(telemetry.use, undefined);
});

test("nvidia-smi is asked once, about the GPU that trains, and ended with the run", async (t) => {
	const program = join(tempDir(t), "nvidia-smi");
	// Prints its own arguments as what it measured, then waits like --loop=1 does.
	writeFileSync(program, '#!/bin/sh\ncase "$1" in --id=1) echo "80, 2048, 50, 120.5";; esac\nexec sleep 100\n');
	chmodSync(program, 0o755);
	const telemetry = new Telemetry("cuda:1", program);
	while (!telemetry.latest) await sleep(10);
	telemetry.stop();
	assert.deepEqual(telemetry.use, {
		meanLoad: 0.8,
		peakMemoryMb: 2048,
		peakTemperature: 50,
		meanWatts: 120.5,
		seconds: 1,
	});
});
