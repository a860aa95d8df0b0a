/**
 * Where parameters keep their values on the device. A parameter gets its memory when the first graph that uses it is
 * compiled, keeps it across graphs, and loses it in `release` or when the process ends.
 */
import { currentDevice, type Device } from "./device/device.ts";
import { BYTES, type Pointer, TYPE } from "./ggml.ts";
import type { Parameter } from "./parameter.ts";
import type { Shape, Tensor } from "./tensor.ts";

interface Storage {
	context: Pointer;
	buffer: Pointer;
	tensor: Pointer;
}

const storages = new WeakMap<Parameter, Storage>();
let bytes = 0;

/** Lengths in ggml's order, always four. */
export function ne(shape: Shape): [number, number, number, number] {
	const [d = 1, c = 1, b = 1, a = 1] = [...shape].reverse();
	return [d, c, b, a];
}

/** The ggml tensor that holds a parameter, made and filled with its initial values on first use. */
export function store(parameter: Parameter): Pointer {
	const known = storages.get(parameter);
	if (known) return known.tensor;
	const { ggml, backend } = currentDevice();
	const context = ggml.init({ mem_size: Number(ggml.tensor_overhead()), mem_buffer: null, no_alloc: true });
	const tensor = ggml.new_tensor_4d(context, TYPE.f32, ...ne(parameter.shape));
	const buffer = ggml.backend_alloc_ctx_tensors(context, backend);
	if (!buffer) throw new Error(`there is no memory for parameter ${parameter.name} (${parameter.size * BYTES} bytes)`);
	const values = materialise(parameter.initial);
	ggml.backend_tensor_set(tensor, values, 0, values.byteLength);
	storages.set(parameter, { context, buffer, tensor });
	bytes += values.byteLength;
	return tensor;
}

export function isStored(parameter: Parameter): boolean {
	return storages.has(parameter);
}

/** A copy of the values a parameter or buffer has now, row-major. */
export function read(parameter: Parameter): Float32Array {
	const storage = storages.get(parameter);
	if (!storage) return materialise(parameter.initial) as Float32Array;
	return readTensor(currentDevice(), storage.tensor, parameter.size);
}

export function readTensor({ ggml }: Device, tensor: Pointer, size: number): Float32Array {
	const values = new Float32Array(size);
	ggml.backend_tensor_get(tensor, values, 0, values.byteLength);
	return values;
}

/**
 * Gives a parameter or buffer new values, row-major.
 * @throws Error when they are not as many as it has elements.
 */
export function write(parameter: Parameter, values: Float32Array): void {
	if (values.length !== parameter.size) {
		throw new Error(`parameter ${parameter.name} has ${parameter.size} elements, was given ${values.length}`);
	}
	currentDevice().ggml.backend_tensor_set(store(parameter), values, 0, values.byteLength);
}

/** Frees the memory of parameters. Graphs compiled with them must be closed first. */
export function release(parameters: Iterable<Parameter>): void {
	const { ggml } = currentDevice();
	for (const parameter of parameters) {
		const storage = storages.get(parameter);
		if (!storage) continue;
		storages.delete(parameter);
		ggml.backend_buffer_free(storage.buffer);
		ggml.free(storage.context);
		bytes -= parameter.size * BYTES;
	}
}

/** Bytes all parameters and buffers hold now. */
export function storedBytes(): number {
	return bytes;
}

/** The elements of a constant. */
export function materialise(leaf: Tensor) {
	return leaf.values ?? new Float32Array(leaf.size).fill(leaf.attrs.value as number);
}
