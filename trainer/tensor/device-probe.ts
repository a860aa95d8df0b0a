/**
 * Looks for the devices of one kind and prints what it finds as JSON:
 *
 *     node device-probe.ts cuda
 *
 * A process of its own, because a driver may crash while it is loaded and two builds of ggml do not share one process.
 */
import koffi from "koffi";
import { type DeviceFacts, listFacts } from "./device.ts";
import { missingLibraries } from "./device-libraries.ts";
import { parseDevice } from "./device-name.ts";
import { log } from "./ggml.ts";

export interface Probe {
	devices: DeviceFacts[];
	/** System libraries that could not be loaded, each with the way to get it. */
	missing: string[];
	/** What ggml said about the device's back end. */
	log: string[];
}

const device = parseDevice(process.argv[2] ?? "")!;
const missing = missingLibraries(device.kind, canLoad);
const devices = missing.length > 0 ? [] : listFacts(device);
const said = log.filter((line) => line.startsWith(`ggml_${device.kind}`));
process.stdout.write(JSON.stringify({ devices, missing, log: said } satisfies Probe));

function canLoad(name: string): boolean {
	try {
		koffi.load(name);
		return true;
	} catch {
		return false;
	}
}
