/** The device graphs run on: a ggml back end, and for the CPU its threads. */
import { availableParallelism } from "node:os";
import { DEVICE_CPU, DEVICE_INTEGRATED, type Ggml, loadGgml, log, type Pointer, startThreads } from "../ggml.ts";
import { checkCompute } from "./check.ts";
import { findLibraries } from "./libraries.ts";
import { type DeviceKind, type DeviceName, type ParsedDevice, parseDevice } from "./name.ts";

export interface DeviceOptions {
	/** Default `cpu`. */
	device?: DeviceName;
	/** CPU threads; default as many as there are cores. More than cores makes a step slower. */
	threads?: number;
	/**
	 * Compiled CPU kernels, as `ensureKernels` (cpu/build.ts) leaves them; without them ggml's own operations are used.
	 */
	kernels?: string;
}

export interface Device {
	readonly name: DeviceName;
	readonly kind: DeviceKind;
	readonly threads: number;
	/** Path of the compiled CPU kernels, if they are used. */
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
	device: name = "cpu",
	threads = availableParallelism(),
	kernels,
}: DeviceOptions = {}): Device {
	if (current) {
		if (current.name === name && current.threads === threads) return current;
		throw new Error(`this process already computes on ${current.name} with ${current.threads} threads`);
	}
	const parsed = parseDevice(name);
	if (!parsed) throw new Error(`"${name}" names no device`);
	if (!Number.isInteger(threads) || threads < 1) throw new Error(`threads must be 1 or more, not ${threads}`);
	current = open(name, parsed, threads, parsed.kind === "cpu" ? kernels : undefined);
	return current;
}

/** The configured device; the CPU with all its cores when nothing was configured. */
export function currentDevice(): Device {
	return current ?? configure();
}

function open(name: DeviceName, parsed: ParsedDevice, threads: number, kernels: string | undefined): Device {
	const { kind } = parsed;
	const { ggml, found } = find(parsed);
	if (!found) throw new Error(`ggml finds no ${name} device here. ${log.at(-1) ?? ""}`.trim());
	const backend = ggml.backend_dev_init(found.pointer, null);
	if (!backend) throw new Error(`ggml could not start on ${found.description}. ${log.at(-1) ?? ""}`.trim());
	// Our kernels have threads of their own (cpu/kernels.cpp), so ggml needs one only.
	const ownThreads = kernels ? 1 : threads;
	if (kind === "cpu") startThreads(ggml, found.pointer, backend, ownThreads);
	return {
		name,
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

/** Loads ggml for a kind of device and looks for the one that is meant. */
function find({ kind, which }: ParsedDevice): { ggml: Ggml; found: GgmlDevice | undefined } {
	if (which === "software") {
		// ggml passes over devices that are CPUs unless it is told to use them.
		process.env.VK_LOADER_DRIVERS_SELECT ??= "*lvp*";
		process.env.GGML_VK_VISIBLE_DEVICES ??= "0";
	}
	// CUDA's own order is the fastest first; with this one cuda:1 is what nvidia-smi calls 1.
	if (kind === "cuda") process.env.CUDA_DEVICE_ORDER ??= "PCI_BUS_ID";
	const ggml = loadGgml(findLibraries(kind));
	const devices = listDevices(ggml).filter((device) => device.kind === kind);
	return { ggml, found: devices[which === "software" ? 0 : which] };
}

function deviceMemory(ggml: Ggml, device: Pointer): number {
	const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
	ggml.backend_dev_memory(device, free, total);
	return Number(free[0]);
}

interface GgmlDevice {
	pointer: Pointer;
	kind: DeviceKind;
	description: string;
}

function listDevices(ggml: Ggml): GgmlDevice[] {
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

/** What a device is, for people and for choosing one. */
export interface DeviceFacts {
	description: string;
	/** It shares the CPU's memory, and seldom beats the CPU's own kernels. */
	integrated: boolean;
	freeBytes: number;
	totalBytes: number;
}

export interface ListedDevice {
	facts: DeviceFacts;
	/** Has it compute something small; returns what is wrong. A driver may end the process instead. */
	check(): string | undefined;
}

/** Every device of the kind that `device` names. Loads ggml, so a process can ask about one kind only. */
export function listOf(device: ParsedDevice): ListedDevice[] {
	const { ggml } = find(device);
	return listDevices(ggml)
		.filter(({ kind }) => kind === device.kind)
		.map(({ pointer, description }) => {
			const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
			ggml.backend_dev_memory(pointer, free, total);
			const integrated = ggml.backend_dev_type(pointer) === DEVICE_INTEGRATED;
			return {
				facts: { description, integrated, freeBytes: Number(free[0]), totalBytes: Number(total[0]) },
				check: () => checkCompute(ggml, pointer),
			};
		});
}

/** What the CPU computes with, in one line for `autoresearch doctor`. Throws when ggml cannot be loaded. */
export function describeCpu(): string {
	const { ggml, threads, description } = currentDevice();
	const free = (process.availableMemory() / 1e9).toFixed(1);
	return `cpu (${description}, ${threads} threads, ${free} GB free); ggml ${ggml.version()}`;
}
