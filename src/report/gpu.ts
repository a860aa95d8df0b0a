/** The GPU in words: what it does now, what it did in one experiment, and how much of the run it idled. */
import type { GpuUse, TrainingProgress } from "../loop/events.ts";
import type { Experiment } from "../loop/state.ts";
import { percent } from "./format.ts";

/** `97% busy 63 C 689 W`, as far as the driver tells. */
export function gpuNow({ load, temperature, watts }: Partial<TrainingProgress>): string {
	return words(load, temperature, watts).join(" ");
}

/** `95% busy, 71 C at most, 640 W, 40.3 GB`. */
export function gpuUse({ meanLoad, peakTemperature, meanWatts, peakMemoryMb }: GpuUse): string {
	const [load, temperature, watts] = [
		words(meanLoad),
		words(undefined, peakTemperature),
		words(undefined, undefined, meanWatts),
	];
	const memory = peakMemoryMb === undefined ? [] : [`${(peakMemoryMb / 1024).toFixed(1)} GB`];
	return [...load, ...temperature.map((text) => `${text} at most`), ...watts, ...memory].join(", ");
}

function words(load?: number, temperature?: number, watts?: number): string[] {
	return [
		...(load === undefined ? [] : [`${percent(load)} busy`]),
		...(temperature === undefined ? [] : [`${Math.round(temperature)} C`]),
		...(watts === undefined ? [] : [`${Math.round(watts)} W`]),
	];
}

/**
 * Share of the experiments' time, from proposal to decision, in which the GPU ran no kernel; outside of training it counts as
 * idle. Undefined where nothing watched it.
 */
export function gpuIdle(experiments: readonly Experiment[]): number | undefined {
	let [busy, total] = [0, 0];
	for (const { summary, startedAt, decidedAt } of experiments) {
		const gpu = summary?.gpu;
		if (gpu?.meanLoad === undefined || !decidedAt) continue;
		busy += gpu.meanLoad * gpu.seconds;
		total += (Date.parse(decidedAt) - Date.parse(startedAt)) / 1000;
	}
	return total > 0 ? Math.max(0, 1 - busy / total) : undefined;
}
