/**
 * Which device to train on. `auto` takes the best that works and says why not the others; a device that is asked for by
 * name works or is refused with what is missing. Nothing native is loaded here: device-probe.ts looks, in a process of
 * its own.
 */
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { DeviceFacts } from "./device.ts";
import { findLibraries, isPackaged } from "./device-libraries.ts";
import { DEVICE_KINDS, type DeviceKind, type DeviceName, parseDevice } from "./device-name.ts";
import type { Probe } from "./device-probe.ts";

/** The device that was asked for cannot be used; the message says what is missing and how to get it. */
export class DeviceError extends Error {
	override name = "DeviceError";
}

export interface Choice {
	device: DeviceName;
	/** What it is: `NVIDIA H100 80GB HBM3`. Empty for the CPU. */
	description: string;
	/** For `auto`: why each better kind of device was passed over. */
	passedOver: string[];
}

export interface FoundDevices {
	kind: DeviceKind;
	devices: DeviceFacts[];
	/** Whether there may be one: its libraries are installed, or its files are in /dev. */
	inSight: boolean;
	/** Why there are none. */
	problem?: string;
}

/** The kinds of GPU there may be on this platform, the best first. */
export const GPU_KINDS: DeviceKind[] = (["cuda", "metal", "vulkan"] as const).filter(isPackaged);

const PROBE = fileURLToPath(new URL(`./device-probe${extname(import.meta.filename)}`, import.meta.url));
const PROBE_TIMEOUT_MS = 60_000;

/**
 * @param wanted `auto`, or a device's name.
 * @throws DeviceError when a device that was asked for by name cannot be used.
 */
export async function chooseDevice(wanted: string): Promise<Choice> {
	if (wanted === "auto") return chooseBest();
	const parsed = parseDevice(wanted);
	if (!parsed) throw new DeviceError(`"${wanted}" is no device: auto, ${DEVICE_KINDS.join(", ")}, cuda:1, vulkan:1`);
	const { kind, which } = parsed;
	if (kind === "cpu") return { device: "cpu", description: "", passedOver: [] };
	const { devices, problem } = await findDevices(kind, which === "software");
	const found = devices[which === "software" ? 0 : which];
	if (found) return { device: nameOf(kind, which), description: found.description, passedOver: [] };
	if (devices.length > 0) {
		throw new DeviceError(`there is no ${wanted}: this machine has ${devices.length} ${kind} device(s), from 0`);
	}
	// A person who asks for Vulkan by name gets what there is; `auto` never comes here.
	if (wanted === "vulkan" && existsSync(libraries(kind) ?? "")) {
		const software = await findDevices(kind, true);
		if (software.devices[0]) return chooseDevice("vulkan:software");
	}
	throw new DeviceError(`no ${wanted} device: ${problem}`);
}

async function chooseBest(): Promise<Choice> {
	const passedOver: string[] = [];
	for (const kind of GPU_KINDS) {
		const { devices, inSight, problem } = await findDevices(kind);
		const best = devices.findIndex(({ integrated }) => !integrated || kind === "metal");
		if (best >= 0) return { device: nameOf(kind, best), description: devices[best]!.description, passedOver };
		const weak = `${devices[0]?.description} shares the CPU's memory; --device ${kind} takes it all the same`;
		passedOver.push(`${kind}: ${inSight ? (problem ?? weak) : "none in sight"}`);
	}
	return { device: "cpu", description: "", passedOver };
}

function nameOf(kind: DeviceKind, which: number | "software"): DeviceName {
	return (kind === "cpu" || kind === "metal" ? kind : `${kind}:${which}`) as DeviceName;
}

/** Looks for the devices of a kind. Never throws: what goes wrong is the problem. */
export async function findDevices(kind: DeviceKind, software = false): Promise<FoundDevices> {
	try {
		findLibraries(kind);
	} catch (error) {
		const inSight = isInSight(kind);
		const unseen = `no ${kind === "cuda" ? "NVIDIA " : ""}GPU in sight; `;
		return { kind, devices: [], inSight, problem: (inSight ? "" : unseen) + (error as Error).message };
	}
	try {
		const { devices, missing, log } = await probe(software ? "vulkan:software" : kind);
		if (devices.length > 0) return { kind, devices, inSight: true };
		const problem = missing.length > 0 ? `missing: ${missing.join("; ")}` : (forbidden(kind) ?? lastWords(log));
		return { kind, devices, inSight: true, problem };
	} catch (error) {
		const { signal, stderr = "" } = error as { signal?: string; stderr?: string };
		const words = stderr.trim().split("\n").at(-1);
		return {
			kind,
			devices: [],
			inSight: true,
			problem: `its driver ended the process${signal ? ` (${signal})` : ""}: ${words}`,
		};
	}
}

async function probe(name: DeviceName): Promise<Probe> {
	const { stdout } = await promisify(execFile)(process.execPath, [PROBE, name], { timeout: PROBE_TIMEOUT_MS });
	return JSON.parse(stdout);
}

function libraries(kind: DeviceKind): string | undefined {
	try {
		return findLibraries(kind);
	} catch {
		return undefined;
	}
}

/** `ggml_cuda_init: failed to initialize CUDA: …` says itself what is wrong: a driver too old, no device. */
function lastWords(log: string[]): string {
	return log.at(-1)?.replace(/^\w+: /, "") ?? "ggml finds none";
}

/** Device files whose presence says that there may be a GPU. */
function deviceFiles(kind: DeviceKind): string[] {
	const inFolder = (folder: string, pattern: RegExp) =>
		existsSync(folder)
			? readdirSync(folder)
					.filter((name) => pattern.test(name))
					.map((name) => `${folder}/${name}`)
			: [];
	return kind === "cuda" ? inFolder("/dev", /^nvidia(ctl|\d+)$/) : inFolder("/dev/dri", /^renderD\d+$/);
}

function isInSight(kind: DeviceKind): boolean {
	return process.platform !== "linux" || deviceFiles(kind).length > 0;
}

function forbidden(kind: DeviceKind): string | undefined {
	const closed = deviceFiles(kind).find((path) => {
		try {
			accessSync(path, constants.R_OK | constants.W_OK);
			return false;
		} catch {
			return true;
		}
	});
	return closed && `no permission on ${closed}: join the group that owns it (ls -l ${closed})`;
}
