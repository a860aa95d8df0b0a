/** The GPU in words: its load now, its use in one experiment, and how long it idled during the run. */
import type { GpuUse, TrainingProgress } from "../journal/events.ts";
import type { Experiment } from "../journal/state.ts";
import { percent } from "./format.ts";

/** `97% busy 63 C 689 W`, as far as the driver reports it. */
export function gpuNow({ load, temperature, watts }: Partial<TrainingProgress>): string {
	return [...busy(load), ...degrees(temperature), ...power(watts)].join(" ");
}

/** `95% busy, 71 C at most, 640 W, 40.3 GB`. */
export function gpuUse({ meanLoad, peakTemperature, meanWatts, peakMemoryMb }: GpuUse): string {
	const hottest = degrees(peakTemperature).map((text) => `${text} at most`);
	return [...busy(meanLoad), ...hottest, ...power(meanWatts), ...gigabytes(peakMemoryMb)].join(", ");
}

/** The words for a value, or none when the driver does not report it. */
const known = (write: (value: number) => string) => (value?: number) => (value === undefined ? [] : [write(value)]);
const busy = known((load) => `${percent(load)} busy`);
const degrees = known((celsius) => `${Math.round(celsius)} C`);
const power = known((watts) => `${Math.round(watts)} W`);
const gigabytes = known((megabytes) => `${(megabytes / 1024).toFixed(1)} GB`);

/**
 * Share of the experiments' time, from proposal to decision, in which the GPU ran no kernel; the time outside of
 * training counts as idle. Undefined when no experiment has a measurement of it.
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
