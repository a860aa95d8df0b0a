/**
 * What this machine can do: the fastest sgemm it has been seen to do, ours or PyTorch's, and the ceiling of its FMA
 * units.
 */
import { ensureKernels } from "../../trainer/tensor/cpu/build.ts";
import { loadKernels } from "../../trainer/tensor/cpu/load.ts";
import { measurePeak } from "../../trainer/tensor/cpu/peak.ts";
import { compile, configure, input, matmul } from "../../trainer/tensor/index.ts";

const threads = Number(process.argv[2]);
const built = await ensureKernels();
if (!built.ok) throw new Error(built.reason);
configure({ threads, kernels: built.path });

const n = 2048;
const [a, b] = [input("a", [n, n]), input("b", [n, n])];
const program = compile({ trace: matmul(a, b).slice(0, 0, 1) });
const values = Float32Array.from({ length: n * n }, (_, i) => Math.sin(i));
const seconds = Array.from({ length: 6 }, () => {
	const start = performance.now();
	program.run({ a: values, b: values });
	return (performance.now() - start) / 1e3;
});

const ceiling = await measurePeak(loadKernels(built.path), threads);
console.log(JSON.stringify({ gflops: (2 * n ** 3) / Math.min(...seconds) / 1e9, ceiling }));
