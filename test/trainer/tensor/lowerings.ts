/** The lowerings this machine can test: the portable one everywhere, the CPU's where there is a C++ compiler. */
import { ensureKernels } from "../../../trainer/tensor/cpu/build.ts";
import { cpu } from "../../../trainer/tensor/lower/cpu.ts";
import { portable } from "../../../trainer/tensor/lower/portable.ts";

const kernels = await ensureKernels();

export const lowerings = kernels.ok ? [portable, cpu(kernels.path)] : [portable];
