/** Which device is chosen, and what is said when one cannot be used. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseBest, chooseDevice, findDevices, GPU_KINDS } from "../../../../trainer/tensor/device/choice.ts";
import { missingLibraries } from "../../../../trainer/tensor/device/libraries.ts";
import { parseDevice } from "../../../../trainer/tensor/device/name.ts";
import { cli } from "../../../support/cli.ts";

test("a device has a kind and a number", () => {
	assert.deepEqual(parseDevice("cuda"), { kind: "cuda", which: 0 });
	assert.deepEqual(parseDevice("cuda:1"), { kind: "cuda", which: 1 });
	assert.deepEqual(parseDevice("vulkan:software"), { kind: "vulkan", which: "software" });
	for (const name of ["tpu", "cuda:", "cuda:x", "cpu:1", "metal:1", "auto"])
		assert.equal(parseDevice(name), undefined, name);
});

test("auto takes the CPU only with a reason for each kind of GPU this platform could have", async () => {
	const { device, passedOver } = await chooseBest(async (kind) => ({ kind, devices: [], inSight: false }));
	assert.equal(device, "cpu");
	assert.deepEqual(
		passedOver.map((reason) => reason.split(":")[0]),
		GPU_KINDS,
	);
});

test("asking for the CPU looks for nothing", async () => {
	assert.deepEqual(await chooseDevice("cpu"), { device: "cpu", description: "", passedOver: [] });
});

test("each missing library is named with the way to get it", { skip: process.platform !== "linux" }, () => {
	const lacking = (...names: string[]) => missingLibraries("cuda", (name) => !names.includes(name));
	assert.deepEqual(lacking(), []);
	assert.match(
		lacking("libcuda.so.1").join(),
		/^libcuda\.so\.1 \(NVIDIA's driver .*590 or newer for an A100 or H100; .*--gpus all\)$/,
	);
	assert.match(
		lacking("libcudart.so.13", "libcublas.so.13").join(),
		/^libcudart\.so\.13 and libcublas\.so\.13 \(CUDA 13's runtime, .* install cuda-cudart-13-0 libcublas-13-0\)$/,
	);
	assert.match(missingLibraries("vulkan", () => false).join(), /^libvulkan\.so\.1 \(apt-get install libvulkan1/);
});

const cuda = await findDevices("cuda");

test("a GPU asked for by name that is not there ends the command with what is missing", {
	skip: cuda.devices.length > 0 && "there is one here",
}, async (t) => {
	const { code, stderr } = await cli(t, ["train", "--device", "cuda"]);
	assert.equal(code, 2);
	assert.match(stderr, /no cuda device: .*(npm install --no-save @node-llama-cpp\/|libcu|driver|no prebuilt)/);
	assert.doesNotMatch(stderr, /\n\s+at /);
});

test("a word that is no device is a usage error", async (t) => {
	const { code, stderr } = await cli(t, ["run", "--device", "abacus"]);
	assert.equal(code, 2);
	assert.match(stderr, /It must be auto, cpu, cuda, cuda:1, vulkan/);
});
