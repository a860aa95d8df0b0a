/**
 * How a device is named on a command line and in the journal: `cpu`, `cuda:1`, `vulkan:0`, `vulkan:software`, `metal`.
 */

export const DEVICE_KINDS = ["cpu", "cuda", "vulkan", "metal"] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** Without a number, the first of its kind. `vulkan:software` is Mesa's lavapipe, which computes on the CPU. */
export type DeviceName = DeviceKind | `${"cuda" | "vulkan"}:${number}` | "vulkan:software";

export interface ParsedDevice {
	kind: DeviceKind;
	/**
	 * Which of its kind, from 0, in the order the driver lists them; for CUDA by PCI bus, of what CUDA_VISIBLE_DEVICES
	 * leaves.
	 */
	which: number | "software";
}

/** Undefined for what names no device. */
export function parseDevice(name: string): ParsedDevice | undefined {
	if (name === "vulkan:software") return { kind: "vulkan", which: "software" };
	const [, word, number] = /^([a-z]+)(?::(\d{1,3}))?$/.exec(name) ?? [];
	const kind = DEVICE_KINDS.find((known) => known === word);
	if (!kind || (number !== undefined && kind !== "cuda" && kind !== "vulkan")) return undefined;
	return { kind, which: Number(number ?? 0) };
}

export function isDeviceName(name: string): name is DeviceName {
	return parseDevice(name) !== undefined;
}
