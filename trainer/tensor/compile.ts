/**
 * From expressions to something that runs: `compile` lowers outputs and parameter updates to one static ggml graph,
 * allocates it once, and returns a program that is run every step.
 */
import { currentDevice, type Device } from "./device.ts";
import { fail, show, TensorError } from "./errors.ts";
import { BYTES, type Pointer } from "./ggml.ts";
import { indexBounds } from "./index-bounds.ts";
import { type Feeds, Leaves } from "./leaves.ts";
import { cpu } from "./lower/cpu.ts";
import type { Builder, Lowering } from "./lower/lowering.ts";
import { portable } from "./lower/portable.ts";
import { Parameter } from "./parameter.ts";
import { checkUpdates, memoryOf, reachable, schedule, type Task, type Update } from "./schedule.ts";
import { isStored, materialise, readTensor, store, storedBytes } from "./storage.ts";
import type { Shape, Tensor } from "./tensor.ts";

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
	/** What the process (on a GPU: the device) will hold at most, as far as is known when the program is compiled. */
	peak: number;
}

export interface Program<Name extends string> {
	/** Computes once. Every input is fed by its name. */
	run(feeds?: Feeds): Record<Name, Result>;
	readonly memory: Readonly<Memory>;
	/** Frees what the program holds; parameters keep their values. */
	close(): void;
}

/** ggml nodes a tensor may be lowered to, for sizing the context that describes them. */
const NODES_PER_TENSOR = 24;
/** Working memory of a thread in cpu/kernels.cpp: a packed block of a matrix, and a little. */
const SCRATCH_BYTES = 1.5e6;

/**
 * Compiles a program that computes `outputs` and then gives each updated parameter its new value. `program.run({ name: value })`
 * feeds every input and returns a result for each output: `.item()` is its number, `.data` its elements. Compiling takes a
 * moment: do it once, before the loop.
 * @throws TensorError when the program is inconsistent or does not fit into memory.
 */
export function compile<Name extends string>(
	outputs: Record<Name, Tensor>,
	updates: readonly Update[] = [],
	lowering: Lowering = loweringFor(currentDevice()),
): Program<Name> {
	const device = currentDevice();
	const { ggml } = device;
	const names = Object.keys(outputs) as Name[];
	const wanted = names.map((name) => outputs[name]);
	checkUpdates(updates);
	const tensors = reachable([...wanted, ...updates.flatMap(({ target, value }) => [target, value])]);
	const bounds = indexBounds(tensors);
	requireRoom(device, tensors);

	const plan = lowering.prepare(wanted, updates);
	const graph = new Graph(device, lowering, schedule(plan), new Set(plan.outputs));
	const activations = graph.allocate();
	const parameters = storedBytes();
	const memory = {
		parameters,
		leaves: graph.leaves.bytes,
		activations,
		peak: forecastPeak(device, graph, activations),
	};

	let open = true;
	return {
		memory,
		run(feeds = {}) {
			if (!open) throw new TensorError("run: the program was closed");
			graph.leaves.feed(feeds, bounds);
			const status = ggml.backend_graph_compute(device.backend, graph.pointer);
			if (status !== 0) throw new TensorError(`run: ggml failed with status ${status}`);
			const results = plan.outputs.map(
				(tensor) => new Result(tensor.shape, readTensor(device, graph.outputs.get(tensor)!, tensor.size)),
			);
			return Object.fromEntries(names.map((name, i) => [name, results[i]])) as Record<Name, Result>;
		},
		close() {
			if (open) graph.free();
			open = false;
		},
	};
}

let largestPeak = 0;

/** Bytes this process (on a GPU: the device) will hold at most: the largest forecast of all programs compiled so far. */
export function memoryForecast(): number {
	return largestPeak;
}

/** On the CPU, memory that was allocated counts when it is first touched: what is resident now, and what is still to come. */
function forecastPeak(device: Device, { leaves }: Graph, activations: number): number {
	const now = device.kind === "cpu" ? process.memoryUsage.rss() : storedBytes() + leaves.bytes;
	const peak = now + activations + (device.kernels ? device.threads * SCRATCH_BYTES : 0);
	largestPeak = Math.max(largestPeak, peak);
	return peak;
}

let cpuLowering: Lowering | undefined;

/** The fastest lowering the device can run. */
function loweringFor({ kernels }: Device): Lowering {
	if (!kernels) return portable;
	cpuLowering ??= cpu(kernels);
	return cpuLowering;
}

/** The ggml graph of a program, and what belongs to it. */
class Graph {
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
		const capacity = tasks.length * NODES_PER_TENSOR + 64;
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

	/** Gives every node its memory, after saying how much that is; returns the bytes. */
	allocate(): number {
		const { ggml } = this.#device;
		try {
			reportUnsupported(this.#device, this.pointer);
			requireMemory(this.#device, "inputs and constants", this.leaves.bytes);
			this.leaves.allocate();
			const forecast = new BigUint64Array(1);
			ggml.gallocr_reserve_n_size(this.#allocator, this.pointer, null, null, forecast);
			requireMemory(this.#device, "activations", Number(forecast[0]));
			// The forecast left a plan without memory behind; only an explicit reserve fills it.
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

const LEAVES = new Set(["parameter", "input", "constant", "full"]);

function isLeaf(tensor: Tensor): boolean {
	return LEAVES.has(tensor.op);
}

function requireRoom(device: Device, tensors: readonly Tensor[]): void {
	const missing = tensors.filter((tensor) => tensor instanceof Parameter && !isStored(tensor));
	const bytes = missing.reduce((total, { size }) => total + size * BYTES, 0);
	requireMemory(device, "parameters", bytes);
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
