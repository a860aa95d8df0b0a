/**
 * A graph's inputs and constants, in buffers of their own. Inputs lie side by side, so that a run uploads them at once.
 */
import type { Device } from "./device/device.ts";
import { fail, show, TensorError } from "./errors.ts";
import { BYTES, type Pointer, TYPE } from "./ggml.ts";
import { ne } from "./storage.ts";
import { type Shape, sizeOf, type Tensor, type Values } from "./tensor.ts";

/** What a run is given: numbers for scalars, typed arrays in row-major order otherwise. */
export type Feeds = Record<string, Values | number>;

/** Where an input may begin; no device asks for more. */
const ALIGNMENT = 256;

interface Input {
	tensor: Tensor;
	pointer: Pointer;
	/** Bytes from the beginning of all inputs. */
	offset: number;
}

export class Leaves {
	/** Bytes of the buffers. */
	bytes = 0;
	readonly #device: Device;
	readonly #contexts: { inputs: Pointer; constants: Pointer; upload: Pointer };
	readonly #inputs = new Map<string, Input>();
	readonly #constants = new Map<string, { pointer: Pointer; values: Values | undefined }>();
	#inputBytes = 0;
	/** All inputs as one tensor, and its bytes here. */
	#upload?: { pointer: Pointer; bytes: Uint8Array };
	readonly #buffers: Pointer[] = [];

	/** @param capacity How many tensors there may be. */
	constructor(device: Device, capacity: number) {
		this.#device = device;
		const size = Number(device.ggml.tensor_overhead());
		const context = (tensors: number) =>
			device.ggml.init({ mem_size: tensors * size, mem_buffer: null, no_alloc: true });
		this.#contexts = { inputs: context(capacity), constants: context(capacity), upload: context(1) };
	}

	input(tensor: Tensor): Pointer {
		const name = tensor.attrs.name as string;
		if (this.#inputs.has(name)) fail("compile", `two inputs are named ${name}`);
		const pointer = this.#make(this.#contexts.inputs, tensor.shape, tensor.dtype === "i32");
		this.#inputs.set(name, { tensor, pointer, offset: this.#inputBytes });
		const bytes = Math.ceil((tensor.size * BYTES) / ALIGNMENT) * ALIGNMENT;
		this.#inputBytes += bytes;
		this.bytes += bytes;
		return pointer;
	}

	constant(key: string, shape: Shape, make: () => Values): Pointer {
		const known = this.#constants.get(key);
		if (known) return known.pointer;
		const values = make();
		const pointer = this.#make(this.#contexts.constants, shape, values instanceof Int32Array);
		this.bytes += sizeOf(shape) * BYTES;
		this.#constants.set(key, { pointer, values });
		return pointer;
	}

	#make(context: Pointer, shape: Shape, integers: boolean): Pointer {
		return this.#device.ggml.new_tensor_4d(context, integers ? TYPE.i32 : TYPE.f32, ...ne(shape));
	}

	/** Gives all of them memory, and constants their values. */
	allocate(): void {
		const { ggml } = this.#device;
		if (this.#constants.size > 0) this.#allocate(this.#contexts.constants);
		for (const constant of this.#constants.values()) {
			if (constant.values) ggml.backend_tensor_set(constant.pointer, constant.values, 0, constant.values.byteLength);
			constant.values = undefined;
		}
		if (this.#inputs.size === 0) return;
		const pointer = this.#make(this.#contexts.upload, [this.#inputBytes / BYTES], true);
		const buffer = this.#allocate(this.#contexts.upload);
		this.#upload = { pointer, bytes: new Uint8Array(this.#inputBytes) };
		for (const input of this.#inputs.values())
			ggml.backend_tensor_alloc(buffer, input.pointer, ggml.get_data(pointer) + BigInt(input.offset));
	}

	#allocate(context: Pointer): Pointer {
		const buffer = this.#device.ggml.backend_alloc_ctx_tensors(context, this.#device.backend);
		if (!buffer) throw new TensorError(`compile: there is no memory for inputs of ${this.bytes} bytes`);
		this.#buffers.push(buffer);
		return buffer;
	}

	/** Fills the inputs. `bounds` says below what number the ids in an input must stay. */
	feed(feeds: Feeds, bounds: ReadonlyMap<Tensor, number>): void {
		for (const name of Object.keys(feeds)) {
			if (this.#inputs.has(name)) continue;
			fail("run", `there is no input ${name}; there are ${[...this.#inputs.keys()].join(", ")}`);
		}
		const upload = this.#upload;
		if (!upload) return;
		for (const [name, { tensor, offset }] of this.#inputs) {
			const fed = feeds[name];
			if (fed === undefined) fail("run", `input ${name} ${show(tensor.shape)} was not fed`);
			const values = typeof fed === "number" ? Float32Array.of(fed) : fed;
			const fits = (tensor.dtype === "i32") === values instanceof Int32Array && values.length === tensor.size;
			if (!fits) {
				const given = `${values.constructor.name} of ${values.length}`;
				fail("run", `input ${name} is ${tensor.dtype} ${show(tensor.shape)}, was fed a ${given}`);
			}
			checkIds(name, values, bounds.get(tensor));
			upload.bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
		}
		this.#device.ggml.backend_tensor_set(upload.pointer, upload.bytes, 0, upload.bytes.byteLength);
	}

	free(): void {
		for (const buffer of this.#buffers) this.#device.ggml.backend_buffer_free(buffer);
		for (const context of Object.values(this.#contexts)) this.#device.ggml.free(context);
	}
}

function checkIds(name: string, values: Values, bound: number | undefined): void {
	if (bound === undefined) return;
	const wrong = values.findIndex((id) => id < 0 || id >= bound);
	if (wrong >= 0) fail("run", `${name}[${wrong}] is ${values[wrong]}, outside of 0 to ${bound - 1}`);
}
