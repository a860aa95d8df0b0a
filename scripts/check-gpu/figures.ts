/** What check.ts makes of throughput.ts's figures. */
import type { Throughput } from "./throughput.ts";

/** Of the measured peak over the forecast: allocations are rounded up. */
const MEMORY_SHARE = 1.1;
/** What no forecast counts: the driver's modules, cuBLAS' workspace, ggml's pool. An H100 has 80 GB. */
const MEMORY_FIXED_MB = 512;

/** Undefined when the device uses no more than was forecast. */
export function memoryFailure({ size, forecastMb, usedMb }: Throughput): string | undefined {
	if (usedMb <= forecastMb * MEMORY_SHARE + MEMORY_FIXED_MB) return undefined;
	return `${size.join(" ")}: ${usedMb.toFixed(0)} MB used, ${forecastMb.toFixed(0)} MB forecast, and ${MEMORY_FIXED_MB} MB besides are allowed`;
}

/** One line of the table. */
export function line(figures: Throughput): string {
	const { size, tokensPerSecond, milliseconds, ofPeak, peakGflops, forecastMb, usedMb } = figures;
	const peak = peakGflops < 1000 ? `${peakGflops.toFixed(1)} GFLOPS` : `${(peakGflops / 1000).toFixed(1)} TFLOPS`;
	return (
		`${size.join(" ").padEnd(24)} ${tokensPerSecond.toFixed(0).padStart(9)} tok/s ${milliseconds.toFixed(1).padStart(9)} ms a step, ` +
		`${(100 * ofPeak).toFixed(0)}% of ${peak}; memory forecast ${forecastMb.toFixed(0)} MB, used ${usedMb.toFixed(0)} MB`
	);
}
