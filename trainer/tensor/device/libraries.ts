/** Where ggml's libraries for a device are, what they need of the system, and how a person gets what is missing. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { DeviceKind } from "./name.ts";

/** Platform packages of node-llama-cpp, by `${process.platform}-${process.arch}` and device. */
const PACKAGES: Record<string, Partial<Record<DeviceKind, string>>> = {
	"linux-x64": { cpu: "linux-x64", cuda: "linux-x64-cuda", vulkan: "linux-x64-vulkan" },
	"linux-arm64": { cpu: "linux-arm64" },
	"darwin-arm64": { cpu: "mac-arm64-metal", metal: "mac-arm64-metal" },
	"darwin-x64": { cpu: "mac-x64" },
	"win32-x64": { cpu: "win-x64", cuda: "win-x64-cuda", vulkan: "win-x64-vulkan" },
	"win32-arm64": { cpu: "win-arm64" },
};
/** Every package is of this version: the C interface in ggml.ts is that of its ggml. */
const PACKAGE_VERSION = "3.22.1";

const CUDA_RUNTIME =
	"CUDA 13's runtime, from NVIDIA's package repository: apt-get install cuda-cudart-13-0 libcublas-13-0";
/** CUDA 13 takes 580. For an A100 or H100 the package has PTX only, of version 9.1, which takes 590. */
export const CUDA_DRIVER = "NVIDIA's driver 580 or newer, and 590 or newer for an A100 or H100";
/** Shared libraries the Linux builds need besides their own (readelf -d libggml-cuda.so), and where they come from. */
const SYSTEM_LIBRARIES: Partial<Record<DeviceKind, Record<string, string>>> = {
	cuda: {
		"libcuda.so.1": `${CUDA_DRIVER}; a container sees it when it is started with --gpus all`,
		"libcudart.so.13": CUDA_RUNTIME,
		"libcublas.so.13": CUDA_RUNTIME,
	},
	vulkan: {
		"libvulkan.so.1": "apt-get install libvulkan1, and the GPU's own driver: mesa-vulkan-drivers for AMD and Intel",
	},
};

const platform = `${process.platform}-${process.arch}`;

/** Whether there is a prebuilt ggml for the device on this platform. */
export function isPackaged(kind: DeviceKind): boolean {
	return PACKAGES[platform]?.[kind] !== undefined;
}

/**
 * The folder with ggml's libraries for a device.
 * @throws Error that names the `npm install` it takes.
 */
export function findLibraries(kind: DeviceKind): string {
	const name = PACKAGES[platform]?.[kind];
	if (!name) throw new Error(`there is no prebuilt ggml for ${kind} on ${platform}`);
	try {
		const entry = createRequire(import.meta.url).resolve(`@node-llama-cpp/${name}`);
		return join(dirname(entry), "..", "bins", name);
	} catch {
		const command = `npm install --no-save @node-llama-cpp/${name}@${PACKAGE_VERSION}`;
		throw new Error(`ggml for ${kind} is not installed: run ${command}`);
	}
}

/** Which of the system libraries a device's ggml needs `canLoad` lacks: their names, each with the way to get it. */
export function missingLibraries(kind: DeviceKind, canLoad: (name: string) => boolean): string[] {
	if (process.platform !== "linux") return [];
	const missing = Object.entries(SYSTEM_LIBRARIES[kind] ?? {}).filter(([name]) => !canLoad(name));
	return [...Map.groupBy(missing, ([, source]) => source)].map(
		([source, entries]) => `${entries.map(([name]) => name).join(" and ")} (${source})`,
	);
}
