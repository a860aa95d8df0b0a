/** Which device the built-in trainer gets. */
import { chooseDevice, DeviceError } from "../../trainer/tensor/device/choice.ts";
import { UserError } from "../errors.ts";

/**
 * @param wanted `auto` (also when absent) or a device's name.
 * @param say hears in one line what was chosen for `auto` and why not the others.
 * @throws UserError when the device cannot be used: what is missing, and how to get it.
 */
export async function resolveDevice(wanted = "auto", say?: (line: string) => void): Promise<string> {
	try {
		const { device, description, passedOver } = await chooseDevice(wanted);
		if (wanted === "auto") {
			const others = passedOver.length > 0 ? `; not on ${passedOver.join("; not on ")}` : "";
			say?.(`training on ${device}${description ? `, ${description}` : ""}${others}`);
		}
		return device;
	} catch (error) {
		if (error instanceof DeviceError) throw new UserError(error.message);
		throw error;
	}
}
