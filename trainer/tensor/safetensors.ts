/**
 * The safetensors file format (github.com/huggingface/safetensors): an 8-byte little-endian header length, a JSON
 * header of `name → {dtype, shape, data_offsets}`, then the raw values. Here of F32 and I32 only.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { TensorError } from "./errors.ts";
import { BYTES } from "./ggml.ts";
import { type Shape, sizeOf, type Values } from "./tensor.ts";

export interface NamedValues {
	shape: Shape;
	values: Values;
}

const MAX_HEADER_BYTES = 16e6;
const MAX_DIMENSIONS = 4;

/** Writes the file under a temporary name first: a reader never sees half of one. */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, NamedValues>): void {
	let offset = 0;
	const header: Record<string, unknown> = {};
	for (const [name, { shape, values }] of tensors) {
		const end = offset + values.byteLength;
		header[name] = { dtype: values instanceof Int32Array ? "I32" : "F32", shape, data_offsets: [offset, end] };
		offset = end;
	}
	const json = Buffer.from(JSON.stringify(header));
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(json.length));
	const temporary = `${path}.tmp`;
	const file = openSync(temporary, "w");
	try {
		for (const part of [length, json, ...[...tensors.values()].map(({ values }) => values)]) writeAll(file, part);
	} finally {
		closeSync(file);
	}
	renameSync(temporary, path);
}

function writeAll(file: number, data: NodeJS.ArrayBufferView): void {
	for (let done = 0; done < data.byteLength; ) done += writeSync(file, data, done);
}

/**
 * Reads a file that may have been made by anyone.
 * @throws TensorError when it is not exactly what its header says.
 */
export function readSafetensors(path: string): Map<string, NamedValues> {
	const file = openSync(path, "r");
	try {
		const size = fstatSync(file).size;
		const start = readExactly(file, Buffer.alloc(8), 0, path).readBigUInt64LE();
		if (start > Math.min(MAX_HEADER_BYTES, size - 8)) throw new TensorError(`${path}: the header is too long`);
		const json = readExactly(file, Buffer.alloc(Number(start)), 8, path).toString();
		const entries = Object.entries(parseHeader(json, path)).filter(([name]) => name !== "__metadata__");
		const origin = 8 + Number(start);
		let expected = 0;
		const tensors = new Map<string, NamedValues>();
		for (const [name, entry] of entries) {
			const { dtype, shape, begin, end } = checkEntry(entry, `${path}: ${JSON.stringify(name)}`);
			if (begin !== expected || origin + end > size) throw new TensorError(`${path}: ${name} lies outside of the file`);
			const values = dtype === "I32" ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape));
			readExactly(file, Buffer.from(values.buffer), origin + begin, path);
			tensors.set(name, { shape, values });
			expected = end;
		}
		if (origin + expected !== size)
			throw new TensorError(`${path}: ${size - origin - expected} bytes belong to no tensor`);
		return tensors;
	} finally {
		closeSync(file);
	}
}

function readExactly(file: number, into: Buffer, position: number, path: string): Buffer {
	for (let done = 0; done < into.length; ) {
		const count = readSync(file, into, done, into.length - done, position + done);
		if (count === 0) throw new TensorError(`${path}: the file ends too early`);
		done += count;
	}
	return into;
}

function parseHeader(json: string, path: string): object {
	try {
		const header: unknown = JSON.parse(json);
		if (typeof header === "object" && header !== null && !Array.isArray(header)) return header;
	} catch {
		// Not JSON: said below.
	}
	throw new TensorError(`${path}: the header is not a JSON object`);
}

function checkEntry(entry: unknown, what: string) {
	const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
	const whole = (value: unknown): value is number[] =>
		Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
	if ((dtype !== "F32" && dtype !== "I32") || !whole(shape) || !whole(offsets) || shape.length > MAX_DIMENSIONS) {
		throw new TensorError(`${what} has no valid dtype, shape and data_offsets`);
	}
	const [begin, end] = offsets;
	if (offsets.length !== 2 || end! - begin! !== sizeOf(shape) * BYTES) {
		throw new TensorError(`${what} does not have as many bytes as its shape needs`);
	}
	return { dtype, shape, begin: begin!, end: end! };
}
