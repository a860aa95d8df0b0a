/**
 * Which device to train on. `auto` takes the best that works and says why not the others; a device that is asked for by
 * name works or is refused with what is missing. Nothing native is loaded here: probe.ts looks, in a process of
 * its own.
 */
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { lastError } from "../text.ts";
import type { DeviceFacts } from "./device.ts";
import { CUDA_DRIVER, findLibraries, isPackaged } from "./libraries.ts";
import { DEVICE_KINDS, type DeviceKind, type DeviceName, parseDevice } from "./name.ts";
import type { Listing } from "./probe.ts";

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

export interface FoundDevice extends DeviceFacts {
	/** Why it cannot be used though the driver lists it. */
	problem?: string;
}

export interface FoundDevices {
	kind: DeviceKind;
	devices: FoundDevice[];
	/** Whether there may be one: its libraries are installed, or its files are in /dev. */
	inSight: boolean;
	/** Why there are none. */
	problem?: string;
}

/** The kinds of GPU there may be on this platform, the best first. */
export const GPU_KINDS: DeviceKind[] = (["cuda", "metal", "vulkan"] as const).filter(isPackaged);

const PROBE = fileURLToPath(new URL(`./probe${extname(import.meta.filename)}`, import.meta.url));
/** Long enough for a GPU that has to compile its kernels. */
const PROBE_LIMIT_MS = 60_000;

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
	if (found?.problem) throw new DeviceError(`${wanted} (${found.description}) does not work: ${found.problem}`);
	if (found) return { device: nameOf(kind, which), description: found.description, passedOver: [] };
	if (devices.length > 0) {
		throw new DeviceError(`there is no ${wanted}: this machine has ${devices.length} ${kind} device(s), from 0`);
	}
	// Vulkan asked for by name may be the software device; `auto` never takes it.
	if (wanted === "vulkan" && existsSync(libraries(kind) ?? "")) {
		const software = await findDevices(kind, true);
		if (software.devices[0]) return chooseDevice("vulkan:software");
	}
	throw new DeviceError(`no ${wanted} device: ${problem}`);
}

/** @param find looks for the devices of a kind. */
export async function chooseBest(find: (kind: DeviceKind) => Promise<FoundDevices> = findDevices): Promise<Choice> {
	const passedOver: string[] = [];
	for (const kind of GPU_KINDS) {
		const { devices, inSight, problem } = await find(kind);
		const best = devices.findIndex(({ integrated, problem }) => !problem && (!integrated || kind === "metal"));
		for (const { description, problem } of devices.slice(0, best < 0 ? undefined : best))
			if (problem) passedOver.push(`${kind}: ${description} does not work: ${problem}`);
		if (best >= 0) return { device: nameOf(kind, best), description: devices[best]!.description, passedOver };
		const weak = devices.find(({ problem }) => !problem);
		if (weak)
			passedOver.push(`${kind}: ${weak.description} shares the CPU's memory; --device ${kind} takes it all the same`);
		if (devices.length === 0) passedOver.push(`${kind}: ${inSight ? problem : "none in sight"}`);
	}
	return { device: "cpu", description: "", passedOver };
}

function nameOf(kind: DeviceKind, which: number | "software"): DeviceName {
	return (kind === "cpu" || kind === "metal" ? kind : `${kind}:${which}`) as DeviceName;
}

/** Looks for the devices of a kind, and whether they compute. Never throws: what goes wrong is the problem. */
export async function findDevices(kind: DeviceKind, software = false, limitMs = PROBE_LIMIT_MS): Promise<FoundDevices> {
	try {
		findLibraries(kind);
	} catch (error) {
		const inSight = isInSight(kind);
		const unseen = `no ${kind === "cuda" ? "NVIDIA " : ""}GPU in sight; `;
		return { kind, devices: [], inSight, problem: (inSight ? "" : unseen) + (error as Error).message };
	}
	const looked = await look(software ? "vulkan:software" : kind, limitMs);
	if (typeof looked === "string") return { kind, devices: [], inSight: true, problem: withHint(looked) };
	const { devices, missing, log } = looked;
	if (devices.length > 0) return { kind, devices, inSight: true };
	const problem = missing.length > 0 ? `missing: ${missing.join("; ")}` : (forbidden(kind) ?? lastLogLine(log));
	return { kind, devices, inSight: true, problem: withHint(problem) };
}

/**
 * What probe.ts finds, or why it finds nothing. After a device that ends the process, the next probe continues with the
 * one that follows.
 */
async function look(
	name: DeviceName,
	limitMs: number,
): Promise<{ devices: FoundDevice[]; missing: string[]; log: string[] } | string> {
	const problems: (string | null)[] = [];
	for (;;) {
		const { lines, end, isHung } = await probe(name, problems.length, limitMs);
		if (lines.length === 0) return end;
		const [listing, ...verdicts] = lines.map((line) => JSON.parse(line)) as [Listing, ...(string | null)[]];
		problems.push(...verdicts);
		const unknown = listing.devices.length - problems.length;
		// Probing a driver that hangs again would take as long again.
		if (unknown > 0) problems.push(...Array(isHung ? unknown : 1).fill(end));
		if (problems.length < listing.devices.length) continue;
		const devices = listing.devices.map((facts, i) => {
			const problem = problems[i];
			return problem ? { ...facts, problem: withHint(problem) } : facts;
		});
		return { ...listing, devices };
	}
}

interface ProbeEnd {
	/** The whole lines it printed. */
	lines: string[];
	/** How it ended, in words. */
	end: string;
	isHung: boolean;
}

/** Runs probe.ts, which has each device from `first` on compute something. */
function probe(name: DeviceName, first: number, limitMs: number): Promise<ProbeEnd> {
	const child = spawn(process.execPath, [PROBE, name, String(first)], { stdio: ["ignore", "pipe", "pipe"] });
	let [stdout, stderr] = ["", ""];
	child.stdout.setEncoding("utf8").on("data", (text) => {
		stdout += text;
	});
	child.stderr.setEncoding("utf8").on("data", (text) => {
		stderr += text;
	});
	return new Promise((resolve) => {
		const ended = (end: string, isHung = false) => {
			clearTimeout(timer);
			resolve({ lines: stdout.split("\n").slice(0, -1), end, isHung });
		};
		const timer = setTimeout(() => {
			// A process that hangs inside a driver may ignore SIGKILL, so it is not waited for.
			child.kill("SIGKILL");
			child.unref();
			child.stdout.destroy();
			child.stderr.destroy();
			ended(`its driver did not answer within ${limitMs / 1000} s`, true);
		}, limitMs);
		child.once("error", (error) => ended(error.message));
		child.once("close", (code, signal) =>
			ended(`its driver ended the process (${signal ?? `exit ${code}`}): ${lastError(stderr) || "without output"}`),
		);
	});
}

/** Adds the driver version that is needed to the messages of drivers that are too old. */
function withHint(problem: string): string {
	const needed = /\bPTX\b/.test(problem)
		? "NVIDIA's driver 590 or newer"
		: /driver version is insufficient/.test(problem) && CUDA_DRIVER;
	return needed ? `${problem.replace(/\.$/, "")}; it takes ${needed}` : problem;
}

function libraries(kind: DeviceKind): string | undefined {
	try {
		return findLibraries(kind);
	} catch {
		return undefined;
	}
}

/** The last line ggml logged, such as `ggml_cuda_init: failed to initialize CUDA: …`, without its function. */
function lastLogLine(log: string[]): string {
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
