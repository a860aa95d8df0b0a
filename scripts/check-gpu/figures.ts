/** Turns throughput.ts's figures into lines of the table and failures. */
import type { Throughput } from "./throughput.ts";

/** Allowed ratio of the measured peak to the forecast: allocations are rounded up. */
const MEMORY_SHARE = 1.1;
/** Megabytes that no forecast counts: the driver's modules, cuBLAS' workspace, ggml's pool. An H100 has 80 GB. */
const MEMORY_FIXED_MB = 512;

/** Undefined when the device uses no more than was forecast. */
export function memoryFailure({ size, forecastMb, usedMb }: Throughput): string | undefined {
	if (usedMb <= forecastMb * MEMORY_SHARE + MEMORY_FIXED_MB) return undefined;
	const [used, forecast] = [usedMb, forecastMb].map((megabytes) => megabytes.toFixed(0));
	return `${size.join(" ")}: ${used} MB used, ${forecast} MB forecast, and ${MEMORY_FIXED_MB} MB besides are allowed`;
}

/** One line of the table. */
export function line(figures: Throughput): string {
	const { size, tokensPerSecond, milliseconds, ofPeak, peakGflops, forecastMb, usedMb } = figures;
	const peak = peakGflops < 1000 ? `${peakGflops.toFixed(1)} GFLOPS` : `${(peakGflops / 1000).toFixed(1)} TFLOPS`;
	const rate = `${tokensPerSecond.toFixed(0).padStart(9)} tok/s`;
	const time = `${milliseconds.toFixed(1).padStart(9)} ms a step`;
	const memory = `memory forecast ${forecastMb.toFixed(0)} MB, used ${usedMb.toFixed(0)} MB`;
	return `${size.join(" ").padEnd(24)} ${rate} ${time}, ${(100 * ofPeak).toFixed(0)}% of ${peak}; ${memory}`;
}
