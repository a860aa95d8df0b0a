/** The slots of descriptor.ts are those of the compiled kernels, and wrong values are refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Descriptor, KERNEL_SLOTS, type KernelName } from "../../../../trainer/tensor/cpu/descriptor.ts";
import { builds } from "./builds.ts";

const { kernels, missing } = await builds();
const native = kernels.get("native");

test("the compiled kernels list the same slots as descriptor.ts", { skip: !native && missing[0] }, () => {
	for (const [name, slots] of Object.entries(KERNEL_SLOTS)) {
		if (name === "sgemm_bf16" && !native!.has(name)) continue;
		assert.equal(native!.slots(name as KernelName), slots, name);
		assert.notEqual(native!.address(name as KernelName), 0n);
	}
});

test("a kernel that does not exist is refused by name", { skip: !native && missing[0] }, () => {
	assert.throws(() => native!.address("fft" as KernelName), /no "fft"/);
});

test("a slot that is missing or of the wrong kind is named", () => {
	const descriptor = new Descriptor("softmax");
	const good = { x: 8n, y: 8n, rows: 1, width: 1, x_row: 1, y_row: 1, scale: 1 };
	descriptor.write(good);
	assert.throws(() => descriptor.write({ ...good, x: 0n }), /kernel softmax: 0 is no pointer for "x"/);
	assert.throws(() => descriptor.write({ ...good, width: 1.5 }), /kernel softmax: 1.5 is no size for "width"/);
	assert.throws(
		() => descriptor.write({ ...good, scale: undefined as unknown as number }),
		/undefined is no scalar for "scale"/,
	);
	descriptor.free();
});

test("every kernel's slots fit into a descriptor", () => {
	for (const slots of Object.values(KERNEL_SLOTS)) {
		const [pointers = "", sizes = "", scalars = ""] = slots.split(" / ");
		assert.ok(pointers.split(" ").length <= 12 && sizes.split(" ").length <= 36 && scalars.split(" ").length <= 8);
		const names = `${pointers} ${sizes} ${scalars}`.trim().split(" ");
		assert.equal(new Set(names).size, names.length, `${slots}: a name twice`);
	}
});
