/**
 * From expressions to something that runs: `compile` lowers outputs and parameter updates to one static ggml graph,
 * allocates it once, and returns a program that is run every step.
 */
import { currentDevice, type Device } from "./device.ts";
import { fail, show, TensorError } from "./errors.ts";
import { BYTES, type Pointer, TYPE } from "./ggml.ts";
import { indexBounds } from "./index-bounds.ts";
import type { Builder, Lowering } from "./lower/lowering.ts";
import { portable } from "./lower/portable.ts";
import { Parameter } from "./parameter.ts";
import { memoryOf, schedule, type Update } from "./schedule.ts";
import { isStored, materialise, ne, readTensor, store, storedBytes } from "./storage.ts";
import { type Shape, sizeOf, type Tensor, type Values } from "./tensor.ts";

/** What one run computed for one output. A copy: it stays as it is. */
export class Result {
	readonly shape: Shape;
	/** Row-major. */
	readonly data: Float32Array;

	constructor(shape: Shape, data: Float32Array) {
		this.shape = shape;
		this.data = data;
	}

	/** The number in a result of one element. */
	item(): number {
		if (this.data.length !== 1) fail("item", `${show(this.shape)} is not one number`);
		return this.data[0] as number;
	}
}

/** Bytes on the device, known before the first run. */
export interface Memory {
	/** Parameters and optimizer state, of every program in this process. */
	parameters: number;
	/** Inputs and constants of this program. */
	leaves: number;
	/** Everything else this program computes. */
	activations: number;
}

export interface Program<Name extends string> {
	/** Computes once. Every input is fed by its name: numbers for scalars, typed arrays in row-major order otherwise. */
	run(feeds?: Record<string, Values | number>): Record<Name, Result>;
	readonly memory: Memory;
	/** Frees what the program holds; parameters keep their values. */
	close(): void;
}

/** ggml nodes a tensor may be lowered to, for sizing the context that describes them. */
const NODES_PER_TENSOR = 24;

/**
 * Compiles a program that computes `outputs` and then gives each updated parameter its new value.
 * @throws TensorError when the program is inconsistent or does not fit into memory.
 */
export function compile<Name extends string>(
	outputs: Record<Name, Tensor>,
	updates: readonly Update[] = [],
	lowering: Lowering = portable,
): Program<Name> {
	const device = currentDevice();
	const { ggml } = device;
	const results = Object.entries(outputs) as [Name, Tensor][];
	const tasks = schedule(
		results.map(([, tensor]) => tensor),
		updates,
	);
	const tensors = tasks.flatMap((task) => ("compute" in task ? [task.compute] : []));
	const bounds = indexBounds(tensors);
	const capacity = tasks.length * NODES_PER_TENSOR + 64;
	const overhead = Number(ggml.tensor_overhead());
	const leaves = new Leaves(device, capacity * overhead);
	const graphBytes = capacity * overhead + Number(ggml.graph_overhead_custom(capacity, false));
	const context = ggml.init({ mem_size: graphBytes, mem_buffer: null, no_alloc: true });
	const graph = ggml.new_graph_custom(context, capacity, false);

	const lowered = new Map<Tensor, Pointer>();
	const memos = new Map<string, Pointer>();
	const builder: Builder = {
		device,
		ggml,
		context,
		of: (tensor) => lowered.get(tensor) ?? fail("compile", `${tensor.op} is used before it is computed`),
		constant: (key, shape, values) => leaves.constant(key, shape, values),
		memo(key, make) {
			const made = memos.get(key) ?? make();
			memos.set(key, made);
			return made;
		},
		schedule: (node) => ggml.build_forward_expand(graph, node),
	};
	const isOutput = new Set(results.map(([, tensor]) => tensor));
	const outputNodes = new Map<Tensor, Pointer>();
	const parameters: Parameter[] = [];

	requireRoom(device, tensors);
	for (const task of tasks) {
		if ("write" in task) {
			builder.schedule(ggml.cpy(context, builder.of(task.write.value), builder.of(task.write.target)));
			continue;
		}
		const tensor = task.compute;
		const leaf = leafOf(tensor, leaves, parameters);
		const node = leaf ?? lowering.lower(tensor, builder);
		lowered.set(tensor, node);
		if (!leaf) builder.schedule(node);
		if (isOutput.has(tensor)) {
			// Memory shared with a leaf would be overwritten by the updates: an output is a copy.
			const own = isLeaf(memoryOf(tensor)) ? ggml.cont(context, node) : node;
			ggml.set_output(own);
			builder.schedule(own);
			outputNodes.set(tensor, own);
		}
	}
	reportUnsupported(device, graph);

	const allocator = ggml.gallocr_new(ggml.backend_get_default_buffer_type(device.backend));
	const discard = () => {
		ggml.gallocr_free(allocator);
		ggml.free(context);
		leaves.free();
	};
	let activations = 0;
	try {
		leaves.allocate();
		activations = forecast(device, allocator, graph);
		requireMemory(device, "activations", activations);
		// The forecast left a plan without memory behind; only an explicit reserve fills it.
		const allocated = ggml.gallocr_reserve(allocator, graph) && ggml.gallocr_alloc_graph(allocator, graph);
		if (!allocated) throw new TensorError(`compile: ggml could not allocate ${activations} bytes`);
	} catch (error) {
		discard();
		throw error;
	}

	let open = true;
	return {
		get memory() {
			return { parameters: storedBytes(), leaves: leaves.bytes, activations };
		},
		run(feeds = {}) {
			if (!open) throw new TensorError("run: the program was closed");
			leaves.feed(feeds, bounds);
			const status = ggml.backend_graph_compute(device.backend, graph);
			if (status !== 0) throw new TensorError(`run: ggml failed with status ${status}`);
			const read = ([name, tensor]: [Name, Tensor]) => [
				name,
				new Result(tensor.shape, readTensor(device, outputNodes.get(tensor)!, tensor.size)),
			];
			return Object.fromEntries(results.map(read)) as Record<Name, Result>;
		},
		close() {
			if (open) discard();
			open = false;
		},
	};
}

const LEAVES = new Set(["parameter", "input", "constant", "full"]);

function isLeaf(tensor: Tensor): boolean {
	return LEAVES.has(tensor.op);
}

function leafOf(tensor: Tensor, leaves: Leaves, parameters: Parameter[]): Pointer | undefined {
	if (tensor instanceof Parameter) {
		parameters.push(tensor);
		return store(tensor);
	}
	if (tensor.op === "input") return leaves.input(tensor);
	if (isLeaf(tensor)) return leaves.constant(`constant ${tensor.id}`, tensor.shape, () => materialise(tensor));
	return undefined;
}

/** A program's inputs and constants: they live in one buffer, apart from what is computed. */
class Leaves {
	readonly #device: Device;
	readonly #context: Pointer;
	readonly #inputs = new Map<string, { tensor: Tensor; pointer: Pointer }>();
	readonly #constants = new Map<string, { pointer: Pointer; values: Values | undefined }>();
	#buffer: Pointer | null = null;
	bytes = 0;

	constructor(device: Device, contextBytes: number) {
		this.#device = device;
		this.#context = device.ggml.init({ mem_size: contextBytes, mem_buffer: null, no_alloc: true });
	}

	input(tensor: Tensor): Pointer {
		const name = tensor.attrs.name as string;
		if (this.#inputs.has(name)) fail("compile", `two inputs are named ${name}`);
		const pointer = this.#new(tensor.shape, tensor.dtype === "i32");
		this.#inputs.set(name, { tensor, pointer });
		return pointer;
	}

	constant(key: string, shape: Shape, make: () => Values): Pointer {
		const known = this.#constants.get(key);
		if (known) return known.pointer;
		const values = make();
		const pointer = this.#new(shape, values instanceof Int32Array);
		this.#constants.set(key, { pointer, values });
		return pointer;
	}

	#new(shape: Shape, integers: boolean): Pointer {
		this.bytes += sizeOf(shape) * BYTES;
		return this.#device.ggml.new_tensor_4d(this.#context, integers ? TYPE.i32 : TYPE.f32, ...ne(shape));
	}

	allocate(): void {
		const { ggml, backend } = this.#device;
		if (this.bytes === 0) return;
		requireMemory(this.#device, "inputs and constants", this.bytes);
		this.#buffer = ggml.backend_alloc_ctx_tensors(this.#context, backend);
		if (!this.#buffer) throw new TensorError(`compile: there is no memory for inputs of ${this.bytes} bytes`);
		for (const constant of this.#constants.values()) {
			if (constant.values) ggml.backend_tensor_set(constant.pointer, constant.values, 0, constant.values.byteLength);
			constant.values = undefined;
		}
	}

	feed(feeds: Record<string, Values | number>, bounds: ReadonlyMap<Tensor, number>): void {
		for (const name of Object.keys(feeds)) {
			if (!this.#inputs.has(name))
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
			checkIndices(name, values, bounds.get(tensor));
			this.#device.ggml.backend_tensor_set(pointer, values, 0, values.byteLength);
		}
	}

	free(): void {
		if (this.#buffer) this.#device.ggml.backend_buffer_free(this.#buffer);
		this.#device.ggml.free(this.#context);
	}
}

function checkIndices(name: string, values: Values, bound: number | undefined): void {
	if (bound === undefined) return;
	const wrong = values.findIndex((id) => id < 0 || id >= bound);
	if (wrong >= 0) fail("run", `${name}[${wrong}] is ${values[wrong]}, outside of 0 to ${bound - 1}`);
}

/** Bytes the graph's intermediate results need, before any are allocated. Leaves must have their memory already. */
function forecast({ ggml }: Device, allocator: Pointer, graph: Pointer): number {
	const bytes = new BigUint64Array(1);
	ggml.gallocr_reserve_n_size(allocator, graph, null, null, bytes);
	return Number(bytes[0]);
}

function requireRoom(device: Device, tensors: readonly Tensor[]): void {
	const missing = tensors.filter((tensor) => tensor instanceof Parameter && !isStored(tensor));
	requireMemory(
		device,
		"parameters",
		missing.reduce((total, { size }) => total + size * BYTES, 0),
	);
}

function requireMemory(device: Device, what: string, needed: number): void {
	const free = device.freeMemory();
	const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
	if (needed > free) {
		fail("compile", `the ${what} need ${gigabytes(needed)}, and ${gigabytes(free)} of ${device.kind} memory are free`);
	}
}

/** Names what the device cannot run, instead of letting ggml end the process in the first step. */
function reportUnsupported(device: Device, graph: Pointer): void {
	const { ggml } = device;
	const missing = new Set<string>();
	for (let i = 0; i < ggml.graph_n_nodes(graph); i++) {
		const node = ggml.graph_node(graph, i);
		if (!device.supports(node)) missing.add(ggml.op_desc(node));
	}
	if (missing.size > 0) fail("compile", `${device.description} (${device.kind}) cannot run ${[...missing].join(", ")}`);
}
