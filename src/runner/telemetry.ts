/**
 * What the GPU is doing while a run trains: nvidia-smi, asked once to report once a second. Where there is no NVIDIA
 * driver there is no telemetry, and nothing is said about it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { GpuUse } from "../journal/events.ts";
import { physicalGpu } from "./cuda.ts";

/** What a GPU did in about a second. Absent is what the driver does not tell. */
export interface GpuSample {
	/** Share of the last second in which a kernel ran, from 0 to 1. */
	load?: number;
	memoryMb?: number;
	/** Degrees Celsius. */
	temperature?: number;
	watts?: number;
}

const FIELDS = ["utilization.gpu", "memory.used", "temperature.gpu", "power.draw"];

/**
 * One line of `--format=csv,noheader,nounits`: `97, 41234, 63, 689.12`, with `[N/A]` for what a GPU does not measure.
 */
export function parseSample(line: string): GpuSample | undefined {
	const cells = line.split(",").map((cell) => cell.trim());
	if (cells.length !== FIELDS.length) return undefined;
	const [percent, memoryMb, temperature, watts] = cells.map((cell) =>
		/^[\d.]+$/.test(cell) ? Number(cell) : undefined,
	);
	if (percent === undefined && memoryMb === undefined) return undefined;
	return { ...(percent !== undefined && { load: percent / 100 }), ...present({ memoryMb, temperature, watts }) };
}

function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

interface TimedSample extends GpuSample {
	/** Since the sample before, or since the watch began. */
	seconds: number;
}

/** A sample says nothing of what the GPU does later than this; nvidia-smi writes one a second. */
const SAMPLE_LASTS_MS = 3000;

export class Telemetry {
	readonly #samples: TimedSample[] = [];
	readonly #child: ChildProcess | undefined;
	#sampledAt = performance.now();

	/** @param device as the trainer names it; only `cuda:n` is watched. */
	constructor(device: string, program = "nvidia-smi") {
		const gpu = physicalGpu(device);
		if (gpu === undefined) return;
		const query = [`--id=${gpu}`, `--query-gpu=${FIELDS}`, "--format=csv,noheader,nounits", "--loop=1"];
		this.#child = spawn(program, query, { stdio: ["ignore", "pipe", "ignore"] });
		this.#child.once("error", () => {});
		createInterface({ input: this.#child.stdout! }).on("line", (line) => {
			const sample = parseSample(line);
			if (!sample) return;
			const now = performance.now();
			this.#samples.push({ ...sample, seconds: (now - this.#sampledAt) / 1000 });
			this.#sampledAt = now;
		});
	}

	/** What the GPU does now; undefined before the first sample, and when there has been none for a while. */
	get latest(): GpuSample | undefined {
		const last = this.#samples.at(-1);
		if (!last || performance.now() - this.#sampledAt > SAMPLE_LASTS_MS) return undefined;
		const { seconds, ...sample } = last;
		return sample;
	}

	/** What was seen; undefined when nothing was. */
	get use(): GpuUse | undefined {
		return summarize(this.#samples);
	}

	/** Stops watching. Nothing waits for nvidia-smi, which may hang in its driver. */
	stop(): void {
		this.#child?.kill("SIGKILL");
		this.#child?.stdout?.destroy();
		this.#child?.unref();
	}
}

/** Rates are weighted by the time each sample stands for: on a busy machine lines come late. */
export function summarize(samples: readonly TimedSample[]): GpuUse | undefined {
	if (samples.length === 0) return undefined;
	const mean = (key: keyof GpuSample) => {
		const reported = samples.filter((sample) => sample[key] !== undefined);
		const total = sum(reported.map(({ seconds }) => seconds));
		return total > 0 ? sum(reported.map((sample) => sample[key]! * sample.seconds)) / total : undefined;
	};
	const peak = (key: keyof GpuSample) => {
		const reported = samples.map((sample) => sample[key]).filter((value) => value !== undefined);
		return reported.length > 0 ? Math.max(...reported) : undefined;
	};
	return {
		...present({
			meanLoad: mean("load"),
			peakMemoryMb: peak("memoryMb"),
			peakTemperature: peak("temperature"),
			meanWatts: mean("watts"),
		}),
		seconds: sum(samples.map(({ seconds }) => seconds)),
	};
}

function sum(values: number[]): number {
	return values.reduce((total, value) => total + value, 0);
}
