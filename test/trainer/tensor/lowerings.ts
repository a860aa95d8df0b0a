/** The lowerings this machine can test: the portable one everywhere, the CPU's where there is a C++ compiler. */
import { ensureKernels } from "../../../trainer/tensor/cpu/build.ts";
import { configure } from "../../../trainer/tensor/index.ts";
import { cpu } from "../../../trainer/tensor/lower/cpu.ts";
import { portable } from "../../../trainer/tensor/lower/portable.ts";

const kernels = await ensureKernels();
// One thread: ggml's threads wait for each other busily, which is slow where other tests run beside these.
export const device = { threads: 1 };
configure(device);

export const lowerings = kernels.ok ? [portable, cpu(kernels.path, 2)] : [portable];
