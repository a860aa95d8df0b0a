/**
 * What the GPU is doing while a run trains: nvidia-smi, asked once to report once a second. Where there is no NVIDIA driver
 * there is no telemetry, and nothing is said about it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { GpuUse } from "../loop/events.ts";

/** One second of a GPU. Absent is what the driver does not tell. */
export interface GpuSample {
	/** Share of the last second in which a kernel ran, from 0 to 1. */
	load?: number;
	memoryMb?: number;
	/** Degrees Celsius. */
	temperature?: number;
	watts?: number;
}

const FIELDS = ["utilization.gpu", "memory.used", "temperature.gpu", "power.draw"];

/** One line of `--format=csv,noheader,nounits`: `97, 41234, 63, 689.12`, with `[N/A]` for what a GPU does not measure. */
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

/**
 * The GPU as nvidia-smi numbers it. CUDA numbers the ones CUDA_VISIBLE_DEVICES leaves, in that order; an entry there may also
 * be a UUID, which nvidia-smi takes as it is.
 */
export function physicalGpu(device: string, visible = process.env.CUDA_VISIBLE_DEVICES): string | undefined {
	const which = /^cuda(?::(\d+))?$/.exec(device);
	if (!which) return undefined;
	const index = Number(which[1] ?? 0);
	return visible ? visible.split(",")[index]?.trim() : String(index);
}

export class Telemetry {
	/** The last sample; undefined before the first. */
	latest: GpuSample | undefined;
	readonly #samples: GpuSample[] = [];
	readonly #child: ChildProcess | undefined;

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
			this.latest = sample;
			this.#samples.push(sample);
		});
	}

	/** What was seen; undefined when nothing was. */
	get use(): GpuUse | undefined {
		return summarize(this.#samples);
	}

	/** Stops watching. */
	stop(): void {
		this.#child?.kill();
	}
}

export function summarize(samples: readonly GpuSample[]): GpuUse | undefined {
	if (samples.length === 0) return undefined;
	const of = (key: keyof GpuSample) => samples.map((sample) => sample[key]).filter((value) => value !== undefined);
	const mean = (values: number[]) =>
		values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;
	const peak = (values: number[]) => (values.length > 0 ? Math.max(...values) : undefined);
	return {
		...present({
			meanLoad: mean(of("load")),
			peakMemoryMb: peak(of("memoryMb")),
			peakTemperature: peak(of("temperature")),
			meanWatts: mean(of("watts")),
		}),
		seconds: samples.length,
	};
}
