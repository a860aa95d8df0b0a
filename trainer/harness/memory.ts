/** Memory of a process as the kernel counts it, which train.ts cannot falsify. */
import { readFileSync, writeFileSync } from "node:fs";

export interface ProcessMemory {
	/** Megabytes resident now, and at most so far. */
	residentMb: number;
	peakMb: number;
}

/** Undefined where there is no /proc, or no such process. */
export function memoryOf(pid: number): ProcessMemory | undefined {
	try {
		const status = readFileSync(`/proc/${pid}/status`, "utf8");
		const megabytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
		const memory = { residentMb: megabytes("VmRSS"), peakMb: megabytes("VmHWM") };
		return Number.isFinite(memory.peakMb) ? memory : undefined;
	} catch {
		return undefined;
	}
}

/** Makes the kernel end this process before the console when memory runs out. */
export function offerToKernel(pid: number): void {
	try {
		writeFileSync(`/proc/${pid}/oom_score_adj`, "1000");
	} catch {
		// No Linux, or the process is gone already.
	}
}
