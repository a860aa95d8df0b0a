/** The GPU in words, and its idle share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { GpuUse } from "../../src/journal/events.ts";
import { fold } from "../../src/journal/fold.ts";
import { initialState, type State } from "../../src/journal/state.ts";
import { gpuIdle, gpuNow, gpuUse } from "../../src/report/gpu.ts";
import { journalOf, trainedBy } from "../tui/scripted-run.ts";

/** A run whose experiments were trained on a GPU, with the same measurements of it in each. */
function onGpu(gpu: GpuUse): State {
	const trained = (n: number) => ({ ...trainedBy(n), summary: { gpu } });
	return [...journalOf({ decided: 5, trained })].reduce<State>(fold, initialState());
}

test("only what the driver reports is in the words about a GPU", () => {
	assert.equal(gpuNow({ load: 0.97, temperature: 63, watts: 688.6 }), "97% busy 63 C 689 W");
	assert.equal(gpuNow({ load: 0 }), "0% busy");
	assert.equal(gpuNow({}), "");
	const use = { meanLoad: 0.951, peakTemperature: 71, meanWatts: 640, peakMemoryMb: 41_267, seconds: 300 };
	assert.equal(gpuUse(use), "95% busy, 71 C at most, 640 W, 40.3 GB");
	assert.equal(gpuUse({ peakMemoryMb: 512, seconds: 3 }), "0.5 GB");
});

test("the idle share is the part of the experiments' time in which the GPU ran no kernel", () => {
	const { experiments } = onGpu({ meanLoad: 0.9, seconds: 100 });
	const wall = experiments.reduce((sum, e) => sum + (Date.parse(e.decidedAt!) - Date.parse(e.startedAt)) / 1000, 0);
	assert.ok(Math.abs(gpuIdle(experiments)! - (1 - (5 * 90) / wall)) < 1e-9);
	assert.equal(gpuIdle(onGpu({ meanLoad: 1, seconds: 1e9 }).experiments), 0);
});

test("there is no idle share without measurements", () => {
	assert.equal(gpuIdle(onGpu({ peakMemoryMb: 100, seconds: 10 }).experiments), undefined);
	assert.equal(gpuIdle([]), undefined);
});
