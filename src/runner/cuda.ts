/** Which GPU `cuda:n` is: to CUDA, to a command of the lab's own, and to nvidia-smi. */

/** How CUDA numbers GPUs unless the user says otherwise: as nvidia-smi does, instead of the fastest first. */
export const CUDA_ORDER = "PCI_BUS_ID";

/**
 * `cuda:n` as CUDA_VISIBLE_DEVICES names it: n of the GPUs that are left there, in that order. Undefined for another
 * device, and where CUDA is shown no such GPU.
 */
function visibleGpu(device: string, { CUDA_VISIBLE_DEVICES: visible }: NodeJS.ProcessEnv): string | undefined {
	const which = /^cuda(?::(\d+))?$/.exec(device);
	if (!which) return undefined;
	const index = Number(which[1] ?? 0);
	if (visible === undefined) return String(index);
	const entry = visible.split(",")[index]?.trim();
	return entry && /^(\d+|GPU-.+|MIG-.+)$/.test(entry) ? entry : undefined;
}

/** The GPU as nvidia-smi names it: a number, if CUDA counts as nvidia-smi does, or a UUID. */
export function physicalGpu(device: string, env = process.env): string | undefined {
	const gpu = visibleGpu(device, env);
	const { CUDA_DEVICE_ORDER: order = CUDA_ORDER } = env;
	if (gpu?.startsWith("MIG-") || (/^\d/.test(gpu ?? "") && order !== CUDA_ORDER)) return undefined;
	return gpu;
}

/**
 * What a command of the lab's own learns of the device. Of several GPUs it sees the one it shall use, which is its
 * `cuda:0`.
 */
export function deviceEnvironment(device: string, env = process.env): NodeJS.ProcessEnv {
	const gpu = visibleGpu(device, env);
	return gpu ? { AUTORESEARCH_DEVICE: "cuda:0", CUDA_VISIBLE_DEVICES: gpu } : { AUTORESEARCH_DEVICE: device };
}
