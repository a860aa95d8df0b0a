/** The device a program runs on: a ggml back end, and for the CPU a pool of threads that outlives the steps. */
import { availableParallelism } from "node:os";
import {
	backendFunction,
	DEVICE_CPU,
	findLibraries,
	type Ggml,
	loadGgml,
	log,
	type Pointer,
	signature,
} from "./ggml.ts";

export type DeviceKind = "cpu" | "cuda" | "vulkan" | "metal";

export interface DeviceOptions {
	/** Default `cpu`. */
	device?: DeviceKind;
	/** CPU threads; default as many as there are cores. More than cores makes a step slower. */
	threads?: number;
	/** Compiled CPU kernels, as `ensureKernels` (cpu/build.ts) leaves them; without them ggml's own operations are used. */
	kernels?: string;
}

export interface Device {
	readonly kind: DeviceKind;
	readonly threads: number;
	/** Where the compiled kernels are that programs use, on the CPU. */
	readonly kernels: string | undefined;
	readonly ggml: Ggml;
	readonly backend: Pointer;
	/** Its name for people: `AMD EPYC 7763`, `NVIDIA H100`. */
	readonly description: string;
	/** Whether the device can run a ggml node. */
	supports(node: Pointer): boolean;
	/** Bytes that can still be allocated. */
	freeMemory(): number;
}

let current: Device | undefined;

/** Chooses the device. Call it once, before anything is compiled; later calls must ask for the same. */
export function configure({
	device: kind = "cpu",
	threads = availableParallelism(),
	kernels,
}: DeviceOptions = {}): Device {
	if (current) {
		if (current.kind === kind && current.threads === threads) return current;
		throw new Error(`this process already computes on ${current.kind} with ${current.threads} threads`);
	}
	if (!Number.isInteger(threads) || threads < 1) throw new Error(`threads must be 1 or more, not ${threads}`);
	current = open(kind, threads, kind === "cpu" ? kernels : undefined);
	return current;
}

/** The configured device; the CPU with all its cores when nothing was configured. */
export function currentDevice(): Device {
	return current ?? configure();
}

function open(kind: DeviceKind, threads: number, kernels: string | undefined): Device {
	const ggml = loadGgml(findLibraries(kind));
	const found = listDevices(ggml).find((device) => device.kind === kind);
	if (!found) throw new Error(`ggml finds no ${kind} device here. ${log.at(-1) ?? ""}`.trim());
	const backend = ggml.backend_dev_init(found.pointer, null);
	if (!backend) throw new Error(`ggml could not start on ${found.description}. ${log.at(-1) ?? ""}`.trim());
	if (kind === "cpu") startThreads(ggml, ggml.backend_dev_backend_reg(found.pointer), backend, threads);
	return {
		kind,
		threads,
		kernels,
		ggml,
		backend,
		description: found.description,
		supports: (node) => ggml.backend_dev_supports_op(found.pointer, node),
		freeMemory: () => (kind === "cpu" ? process.availableMemory() : deviceMemory(ggml, found.pointer)),
	};
}

/** A pool of its own: the one ggml makes for each call costs about 15 ms a step. */
function startThreads(ggml: Ggml, registration: Pointer, backend: Pointer, threads: number): void {
	// struct ggml_threadpool_params { bool cpumask[512]; int n_threads; int prio; uint32_t poll; bool strict, paused; }
	const params = Buffer.alloc(1024);
	ggml.threadpool_params_init(params, threads);
	// No busy waiting between steps: the loop must leave the cores to the data loader and the console.
	params.writeUInt32LE(0, 520);
	const newPool = backendFunction(ggml, registration, "ggml_threadpool_new", signature("pointer", "data"));
	const setPool = backendFunction(
		ggml,
		registration,
		"ggml_backend_cpu_set_threadpool",
		signature("void", "pointer", "pointer"),
	);
	const setThreads = backendFunction(
		ggml,
		registration,
		"ggml_backend_set_n_threads",
		signature("void", "pointer", "int"),
	);
	setPool(backend, newPool(params));
	setThreads(backend, threads);
}

function deviceMemory(ggml: Ggml, device: Pointer): number {
	const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
	ggml.backend_dev_memory(device, free, total);
	return Number(free[0]);
}

interface FoundDevice {
	pointer: Pointer;
	kind: DeviceKind;
	description: string;
}

function listDevices(ggml: Ggml): FoundDevice[] {
	return Array.from({ length: Number(ggml.backend_dev_count()) }, (_, i) => {
		const pointer = ggml.backend_dev_get(i);
		const registration = ggml.backend_reg_name(ggml.backend_dev_backend_reg(pointer)).toLowerCase();
		const kind =
			ggml.backend_dev_type(pointer) === DEVICE_CPU ? "cpu" : registration === "mtl" ? "metal" : registration;
		return {
			pointer,
			kind: kind as DeviceKind,
			description: ggml.backend_dev_description(pointer).trim(),
		};
	});
}

/** What this machine computes with, in one line for `autoresearch doctor`. Throws when ggml cannot be loaded. */
export function describeDevices(): string {
	const { ggml, threads } = currentDevice();
	const devices = listDevices(ggml).map(({ pointer, kind, description }) => {
		const free = kind === "cpu" ? process.availableMemory() : deviceMemory(ggml, pointer);
		return `${kind} (${description}${kind === "cpu" ? `, ${threads} threads` : ""}, ${(free / 1e9).toFixed(1)} GB free)`;
	});
	return `${devices.join(", ")}; ggml ${ggml.version()}`;
}
