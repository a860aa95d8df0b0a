/**
 * Looks for the devices of one kind, has each compute something, and prints a line of JSON for what it finds, then one
 * for each device: what is wrong with it, or null.
 *
 *     node probe.ts cuda        all of them
 *     node probe.ts cuda 1      computes from the second on
 *
 * A process of its own, because a driver may crash while it is loaded or used, and two builds of ggml do not share one
 * process.
 */
import { writeSync } from "node:fs";
import koffi from "koffi";
import { log } from "../ggml.ts";
import { type DeviceFacts, listOf } from "./device.ts";
import { missingLibraries } from "./libraries.ts";
import { parseDevice } from "./name.ts";

export interface Listing {
	devices: DeviceFacts[];
	/** System libraries that could not be loaded, each with the way to get it. */
	missing: string[];
	/** What ggml said about the device's back end. */
	log: string[];
}

const device = parseDevice(process.argv[2] ?? "")!;
const first = Number(process.argv[3] ?? 0);
const missing = missingLibraries(device.kind, canLoad);
const found = missing.length > 0 ? [] : listOf(device);
const said = log.filter((line) => line.startsWith(`ggml_${device.kind}`));
tell({ devices: found.map(({ facts }) => facts), missing, log: said } satisfies Listing);
for (const { check } of found.slice(first)) tell(check() ?? null);

/** At once: the next device may end the process. */
function tell(what: unknown): void {
	writeSync(1, `${JSON.stringify(what)}\n`);
}

function canLoad(name: string): boolean {
	try {
		koffi.load(name);
		return true;
	} catch {
		return false;
	}
}
