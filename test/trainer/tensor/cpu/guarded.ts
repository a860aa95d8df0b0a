/**
 * Arrays between inaccessible pages: an access beyond the end kills the process, one before the start changes a canary
 * or, if it only reads, brings a NaN into the result.
 */
import assert from "node:assert/strict";
import koffi from "koffi";

const libc = koffi.load(process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6");
const mmap = libc.func("void* mmap(void* at, size_t length, int protection, int flags, int file, int64 offset)");
const munmap = libc.func("int munmap(void* at, size_t length)");
const mprotect = libc.func("int mprotect(void* at, size_t length, int protection)");

/** A multiple of every common page size. */
const PAGE = 65536;
const [PROT_NONE, PROT_READ_WRITE] = [0, 3];
const MAP_PRIVATE_ANONYMOUS = process.platform === "darwin" ? 0x1002 : 0x22;
const CANARY = 0x7fc0dead; // a NaN

export interface Guarded {
	address: bigint;
	array: Float32Array;
	/** The array's 32-bit patterns: what determinism compares, and what an i32 array is. */
	bits: Int32Array;
	/** Fails if anything was written before the array. */
	assertIntact(): void;
	free(): void;
}

/** A copy of `values` that ends where the address space does. */
export function guarded(values: Float32Array | Int32Array): Guarded {
	const room = Math.ceil((values.byteLength + 256) / PAGE) * PAGE;
	const mapping: bigint = mmap(null, room + 2 * PAGE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
	assert.equal(mprotect(mapping, PAGE, PROT_NONE), 0);
	assert.equal(mprotect(mapping + BigInt(PAGE + room), PAGE, PROT_NONE), 0);
	const memory = koffi.view(mapping + BigInt(PAGE), room);
	const offset = room - values.byteLength;
	const before = new Int32Array(memory, 0, offset / 4).fill(CANARY);
	const bits = new Int32Array(memory, offset, values.length);
	bits.set(new Int32Array(values.buffer, values.byteOffset, values.length));
	return {
		address: mapping + BigInt(PAGE + offset),
		array: new Float32Array(memory, offset, values.length),
		bits,
		assertIntact: () =>
			assert.ok(
				before.every((word) => word === CANARY),
				"written before the array's start",
			),
		free: () => munmap(mapping, room + 2 * PAGE),
	};
}
