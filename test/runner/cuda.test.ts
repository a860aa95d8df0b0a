/** Which GPU `cuda:n` names for CUDA, for a lab's own command and for nvidia-smi. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceEnvironment, physicalGpu } from "../../src/runner/cuda.ts";

test("CUDA's first GPU is the first that CUDA_VISIBLE_DEVICES leaves", () => {
	assert.equal(physicalGpu("cuda:0", { CUDA_VISIBLE_DEVICES: "3,1" }), "3");
	assert.equal(physicalGpu("cuda", { CUDA_VISIBLE_DEVICES: "3,1" }), "3");
	assert.equal(physicalGpu("cuda:1", { CUDA_VISIBLE_DEVICES: "3, GPU-8f2c" }), "GPU-8f2c");
	assert.equal(physicalGpu("cuda:2", {}), "2");
	assert.equal(physicalGpu("cuda:0", { CUDA_VISIBLE_DEVICES: "" }), undefined, "none is left");
	assert.equal(physicalGpu("cuda:0", { CUDA_VISIBLE_DEVICES: "-1" }), undefined);
	assert.equal(physicalGpu("cpu", {}), undefined);
	assert.equal(physicalGpu("vulkan:0", {}), undefined);
});

test("a number is nvidia-smi's only where CUDA counts as nvidia-smi does", () => {
	assert.equal(physicalGpu("cuda:1", { CUDA_DEVICE_ORDER: "PCI_BUS_ID" }), "1");
	const fastest = { CUDA_DEVICE_ORDER: "FASTEST_FIRST" };
	assert.equal(physicalGpu("cuda:1", fastest), undefined);
	assert.equal(physicalGpu("cuda:0", { ...fastest, CUDA_VISIBLE_DEVICES: "GPU-8f2c" }), "GPU-8f2c");
});

test("a command of the lab's own sees the GPU it shall use, and no other", () => {
	assert.deepEqual(deviceEnvironment("cuda:1", {}), { AUTORESEARCH_DEVICE: "cuda:0", CUDA_VISIBLE_DEVICES: "1" });
	assert.deepEqual(deviceEnvironment("cuda:1", { CUDA_VISIBLE_DEVICES: "4,MIG-7" }), {
		AUTORESEARCH_DEVICE: "cuda:0",
		CUDA_VISIBLE_DEVICES: "MIG-7",
	});
	assert.deepEqual(deviceEnvironment("auto", { CUDA_VISIBLE_DEVICES: "4" }), { AUTORESEARCH_DEVICE: "auto" });
	assert.deepEqual(deviceEnvironment("cuda:3", { CUDA_VISIBLE_DEVICES: "4" }), { AUTORESEARCH_DEVICE: "cuda:3" });
});
