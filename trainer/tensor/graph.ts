/** A static ggml graph with its inputs, constants and allocator. */
import type { Device } from "./device/device.ts";
import { fail, TensorError } from "./errors.ts";
import { BYTES, type Pointer } from "./ggml.ts";
import { Leaves } from "./io-buffers.ts";
import { BLOCK } from "./lower/blocked-attention.ts";
import type { Builder, Lowering } from "./lower/lowering.ts";
import { untouchedBytes } from "./memory-accounting.ts";
import { Parameter } from "./parameter.ts";
import type { Task } from "./plan.ts";
import { isLeaf, memoryOf } from "./schedule.ts";
import { isStored, materialise, store } from "./storage.ts";
import type { Tensor } from "./tensor.ts";

/** ggml nodes a tensor may be lowered to, for sizing the context that describes them. */
const NODES_PER_TENSOR = 24;
/** The same for each block of attention's queries. */
const NODES_PER_BLOCK = 48;

function nodesFor(task: Task): number {
	if (!("compute" in task) || !task.compute.op.startsWith("attention")) return NODES_PER_TENSOR;
	return NODES_PER_TENSOR + NODES_PER_BLOCK * Math.ceil(task.compute.dim(1) / BLOCK);
}

export class Graph {
	readonly pointer: Pointer;
	readonly leaves: Leaves;
	/** Where the outputs are after a run. */
	readonly outputs = new Map<Tensor, Pointer>();
	readonly #device: Device;
	readonly #context: Pointer;
	readonly #allocator: Pointer;
	readonly #onAllocated: (() => void)[] = [];
	readonly #onClose: (() => void)[] = [];

	constructor(device: Device, lowering: Lowering, tasks: readonly Task[], outputs: ReadonlySet<Tensor>) {
		const { ggml } = device;
		const capacity = tasks.reduce((total, task) => total + nodesFor(task), 64);
		const size = capacity * Number(ggml.tensor_overhead()) + Number(ggml.graph_overhead_custom(capacity, false));
		this.#device = device;
		this.#context = ggml.init({ mem_size: size, mem_buffer: null, no_alloc: true });
		this.#allocator = ggml.gallocr_new(ggml.backend_get_default_buffer_type(device.backend));
		this.pointer = ggml.new_graph_custom(this.#context, capacity, false);
		this.leaves = new Leaves(device, capacity);
		try {
			this.#build(lowering, tasks, outputs);
		} catch (error) {
			this.free();
			throw error;
		}
	}

	#build(lowering: Lowering, tasks: readonly Task[], outputs: ReadonlySet<Tensor>): void {
		const { ggml } = this.#device;
		const lowered = new Map<Tensor, Pointer>();
		const memos = new Map<string, Pointer>();
		const builder: Builder = {
			device: this.#device,
			ggml,
			context: this.#context,
			of: (tensor) => {
				// Parameters that are only written have no reader to lower them.
				const node = lowered.get(tensor) ?? this.#leaf(tensor);
				return node ?? fail("compile", `${tensor.op} is used before it is computed`);
			},
			constant: (key, shape, values) => this.leaves.constant(key, shape, values),
			memo(key, make) {
				const made = memos.get(key) ?? make();
				memos.set(key, made);
				return made;
			},
			schedule: (node) => ggml.build_forward_expand(this.pointer, node),
			onAllocated: (callback) => this.#onAllocated.push(callback),
			onClose: (callback) => this.#onClose.push(callback),
		};
		for (const task of tasks) {
			if ("copy" in task) {
				const { targets, value } = task.copy;
				builder.schedule(ggml.cpy(this.#context, builder.of(value), builder.of(targets[0]!)));
				continue;
			}
			const tensor = task.compute;
			const leaf = this.#leaf(tensor);
			const node = leaf ?? lowering.lower(tensor, builder);
			lowered.set(tensor, node);
			if (!leaf) builder.schedule(node);
			if (outputs.has(tensor)) {
				// Memory shared with a leaf would be overwritten by the updates: an output is a copy.
				const own = isLeaf(memoryOf(tensor)) ? ggml.cont(this.#context, node) : node;
				ggml.set_output(own);
				builder.schedule(own);
				this.outputs.set(tensor, own);
			}
		}
	}

	#leaf(tensor: Tensor): Pointer | undefined {
		if (tensor instanceof Parameter) return store(tensor);
		if (tensor.op === "input") return this.leaves.input(tensor);
		if (!isLeaf(tensor)) return undefined;
		return this.leaves.constant(`constant ${tensor.id}`, tensor.shape, () => materialise(tensor));
	}

	/** Checks that there is enough memory, then gives every node its own; returns the bytes. */
	allocate(): number {
		const { ggml } = this.#device;
		try {
			requireMemory(this.#device, "inputs and constants", this.leaves.bytes);
			this.leaves.allocate();
			const forecast = new BigUint64Array(1);
			ggml.gallocr_reserve_n_size(this.#allocator, this.pointer, null, null, forecast);
			requireMemory(this.#device, "activations", Number(forecast[0]));
			// Memory is checked first: a tensor that is too large for a device is also an operation it cannot run.
			reportUnsupported(this.#device, this.pointer);
			// The forecast leaves a plan without memory, which only an explicit reserve allocates.
			const reserved = ggml.gallocr_reserve(this.#allocator, this.pointer);
			if (!reserved || !ggml.gallocr_alloc_graph(this.#allocator, this.pointer)) {
				throw new TensorError(`compile: ggml could not allocate ${forecast[0]} bytes`);
			}
			for (const callback of this.#onAllocated) callback();
			return Number(forecast[0]);
		} catch (error) {
			this.free();
			throw error;
		}
	}

	free(): void {
		const { ggml } = this.#device;
		for (const callback of this.#onClose) callback();
		ggml.gallocr_free(this.#allocator);
		ggml.free(this.#context);
		this.leaves.free();
	}
}

/** Refuses parameters there is no memory for, before any of it is taken. */
export function requireRoom(device: Device, tensors: readonly Tensor[]): void {
	const missing = tensors.filter((tensor) => tensor instanceof Parameter && !isStored(tensor));
	const bytes = missing.reduce((total, { size }) => total + size * BYTES, 0);
	requireMemory(device, "parameters", bytes);
}

function requireMemory(device: Device, what: string, needed: number): void {
	const promised = device.kind === "cpu" ? untouchedBytes() : 0;
	const free = Math.max(0, device.freeMemory() - promised);
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
