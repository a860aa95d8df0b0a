/** A program's inputs and constants. They live in one buffer of their own, apart from what is computed. */
import type { Device } from "./device.ts";
import { fail, show, TensorError } from "./errors.ts";
import { BYTES, type Pointer, TYPE } from "./ggml.ts";
import { ne } from "./storage.ts";
import { type Shape, sizeOf, type Tensor, type Values } from "./tensor.ts";

/** What a run is given: numbers for scalars, typed arrays in row-major order otherwise. */
export type Feeds = Record<string, Values | number>;

export class Leaves {
	/** Bytes of the buffer. */
	bytes = 0;
	readonly #device: Device;
	readonly #context: Pointer;
	readonly #inputs = new Map<string, { tensor: Tensor; pointer: Pointer }>();
	readonly #constants = new Map<string, { pointer: Pointer; values: Values | undefined }>();
	#buffer: Pointer | null = null;

	/** @param capacity How many tensors there may be. */
	constructor(device: Device, capacity: number) {
		this.#device = device;
		const size = capacity * Number(device.ggml.tensor_overhead());
		this.#context = device.ggml.init({ mem_size: size, mem_buffer: null, no_alloc: true });
	}

	input(tensor: Tensor): Pointer {
		const name = tensor.attrs.name as string;
		if (this.#inputs.has(name)) fail("compile", `two inputs are named ${name}`);
		const pointer = this.#make(tensor.shape, tensor.dtype === "i32");
		this.#inputs.set(name, { tensor, pointer });
		return pointer;
	}

	constant(key: string, shape: Shape, make: () => Values): Pointer {
		const known = this.#constants.get(key);
		if (known) return known.pointer;
		const values = make();
		const pointer = this.#make(shape, values instanceof Int32Array);
		this.#constants.set(key, { pointer, values });
		return pointer;
	}

	#make(shape: Shape, integers: boolean): Pointer {
		this.bytes += sizeOf(shape) * BYTES;
		return this.#device.ggml.new_tensor_4d(this.#context, integers ? TYPE.i32 : TYPE.f32, ...ne(shape));
	}

	/** Gives all of them memory, and constants their values. */
	allocate(): void {
		const { ggml, backend } = this.#device;
		if (this.bytes === 0) return;
		this.#buffer = ggml.backend_alloc_ctx_tensors(this.#context, backend);
		if (!this.#buffer) throw new TensorError(`compile: there is no memory for inputs of ${this.bytes} bytes`);
		for (const constant of this.#constants.values()) {
			if (constant.values) ggml.backend_tensor_set(constant.pointer, constant.values, 0, constant.values.byteLength);
			constant.values = undefined;
		}
	}

	/** Fills the inputs. `bounds` says below what number the ids in an input must stay. */
	feed(feeds: Feeds, bounds: ReadonlyMap<Tensor, number>): void {
		for (const name of Object.keys(feeds)) {
			if (this.#inputs.has(name)) continue;
			fail("run", `there is no input ${name}; there are ${[...this.#inputs.keys()].join(", ")}`);
		}
		for (const [name, { tensor, pointer }] of this.#inputs) {
			const fed = feeds[name];
			if (fed === undefined) fail("run", `input ${name} ${show(tensor.shape)} was not fed`);
			const values = typeof fed === "number" ? Float32Array.of(fed) : fed;
			const fits = (tensor.dtype === "i32") === values instanceof Int32Array && values.length === tensor.size;
			if (!fits) {
				const given = `${values.constructor.name} of ${values.length}`;
				fail("run", `input ${name} is ${tensor.dtype} ${show(tensor.shape)}, was fed a ${given}`);
			}
			checkIds(name, values, bounds.get(tensor));
			this.#device.ggml.backend_tensor_set(pointer, values, 0, values.byteLength);
		}
	}

	free(): void {
		if (this.#buffer) this.#device.ggml.backend_buffer_free(this.#buffer);
		this.#device.ggml.free(this.#context);
	}
}

function checkIds(name: string, values: Values, bound: number | undefined): void {
	if (bound === undefined) return;
	const wrong = values.findIndex((id) => id < 0 || id >= bound);
	if (wrong >= 0) fail("run", `${name}[${wrong}] is ${values[wrong]}, outside of 0 to ${bound - 1}`);
}
