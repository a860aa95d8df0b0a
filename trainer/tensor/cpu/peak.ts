/** How fast this machine could multiply and add at best: the ceiling of every matrix product. */
import koffi from "koffi";
import { Descriptor } from "./descriptor.ts";
import type { Kernels } from "./load.ts";

const STEPS = 5_000_000;
const ATTEMPTS = 5;

/** GFLOPS of f32 multiply-adds in registers alone, by `threads` threads at once; the best of a few short runs. */
export async function measurePeak(kernels: Kernels, threads: number): Promise<number> {
	const inputs = Float32Array.of(0.999, 0.1);
	let best = 0;
	for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
		const gflops = new Float32Array(threads);
		const descriptor = new Descriptor("peak");
		descriptor.write({ inputs: koffi.address(inputs), gflops: koffi.address(gflops), steps: STEPS });
		const shares = Array.from({ length: threads }, (_, ith) => {
			return new Promise<void>((resolve, reject) => {
				kernels
					.call("peak")
					.async(null, ith, threads, descriptor.address, (error) => (error ? reject(error) : resolve()));
			});
		});
		await Promise.all(shares);
		descriptor.free();
		best = Math.max(
			best,
			gflops.reduce((total, rate) => total + rate, 0),
		);
	}
	return best;
}
