/** A driver that lists its devices and cannot compute on them: what is said of it, and that nothing trains there. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { chooseBest, chooseDevice, type FoundDevices, findDevices } from "../../../trainer/tensor/device-choice.ts";
import { failingDriver, PTX_ERROR } from "./failing-driver.ts";

const { devices, problem } = await findDevices("vulkan", true);
const skip =
	(process.platform !== "linux" && "it is preloaded as on Linux") ||
	(devices.length === 0 && `no software Vulkan here: ${problem}`);

/** Has processes started from here on meet a failing driver. */
function fail(t: TestContext, fault: string): void {
	const env = failingDriver(t, fault);
	t.after(() => {
		for (const name of Object.keys(env)) delete process.env[name];
	});
	Object.assign(process.env, env);
}

async function problemOf(limitMs?: number): Promise<string | undefined> {
	const { devices } = await findDevices("vulkan", true, limitMs);
	assert.equal(devices.length, 1, "it is listed all the same");
	return devices[0]!.problem;
}

test("a device that computes has no problem", { skip }, async () => assert.equal(await problemOf(), undefined));

test("a device whose driver aborts has its own error for a reason", { skip }, async (t) => {
	fail(t, "an illegal memory access was encountered");
	assert.equal(
		await problemOf(),
		"its driver ended the process (SIGABRT): CUDA error: an illegal memory access was encountered",
	);
});

test("a driver too old for the kernels is refused with the one it takes", { skip }, async (t) => {
	fail(t, PTX_ERROR);
	await assert.rejects(
		chooseDevice("vulkan:software"),
		/^DeviceError: vulkan:software \(.*\) does not work: .*unsupported toolchain\. It takes NVIDIA's driver 590 or newer$/,
	);
});

test("a device that computes wrong numbers does not work", { skip }, async (t) => {
	fail(t, "wrong");
	assert.equal(await problemOf(), "it computes wrong numbers");
});

test("a driver that hangs is given up", { skip }, async (t) => {
	fail(t, "hang");
	assert.equal(await problemOf(3000), "its driver did not answer within 3 s");
});

test("auto passes over what does not work, and says so", async () => {
	const facts = { description: "GPU", integrated: false, freeBytes: 1, totalBytes: 1 };
	const found = (devices: FoundDevices["devices"]) => (kind: FoundDevices["kind"]) =>
		Promise.resolve({ kind, devices: kind === "cuda" ? devices : [], inSight: false });
	const broken = { ...facts, description: "old GPU", problem: "CUDA error: no" };
	const second = await chooseBest(found([broken, facts]));
	assert.equal(second.device, "cuda:1");
	assert.deepEqual(second.passedOver, ["cuda: old GPU does not work: CUDA error: no"]);
	const none = await chooseBest(found([broken]));
	assert.equal(none.device, "cpu");
	assert.equal(none.passedOver[0], "cuda: old GPU does not work: CUDA error: no");
});
