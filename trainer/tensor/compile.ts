/**
 * `compile` lowers outputs and parameter updates to one static ggml graph, allocates it once, and returns it to be run
 * every step.
 */
import { checkBufferNames, claimBuffers } from "./buffer-names.ts";
import { currentDevice, type Device } from "./device/device.ts";
import { fail, show, TensorError } from "./errors.ts";
import { Graph, requireRoom } from "./graph.ts";
import { indexBounds } from "./index-bounds.ts";
import type { Feeds } from "./io-buffers.ts";
import { cpu } from "./lower/cpu.ts";
import type { Lowering } from "./lower/lowering.ts";
import { portable } from "./lower/portable.ts";
import { release, reserve, reservedBytes, untouchedBytes } from "./memory-accounting.ts";
import type { Update } from "./plan.ts";
import { checkOutputs, checkUpdates, reachable, schedule } from "./schedule.ts";
import { readTensor, storedBytes } from "./storage.ts";
import type { Shape, Tensor } from "./tensor.ts";

/** What one run computed for one output: a copy, which later runs do not change. */
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
	/** Parameters and buffers of every graph in this process. */
	parameters: number;
	/** Inputs and constants of this graph. */
	leaves: number;
	/** Everything else this graph computes. */
	activations: number;
	/** What the process (on a GPU: the device) will hold at most, as far as is known when the graph is compiled. */
	peak: number;
}

export interface CompiledGraph<Name extends string> {
	/** Computes once. Every input is fed by its name. */
	run(feeds?: Feeds): Record<Name, Result>;
	readonly memory: Readonly<Memory>;
	/** Frees what the graph holds; parameters keep their values. */
	close(): void;
}

/** Working memory of a thread in cpu/kernels.cpp, rounded up: mostly a packed block of a matrix. */
const SCRATCH_BYTES = 1.5e6;

/**
 * Compiles a graph that computes `outputs` and then gives each updated parameter its new value. `graph.run({ name:
 * value })` feeds every input and returns a result for each output: `.item()` is its number, `.data` its elements.
 * Compiling takes a moment: do it once, before the loop.
 * @throws TensorError when the graph is inconsistent or does not fit into memory.
 */
export function compile<Name extends string>(
	outputs: Record<Name, Tensor>,
	updates: readonly Update[] = [],
	lowering: Lowering = loweringFor(currentDevice()),
): CompiledGraph<Name> {
	const device = currentDevice();
	const { ggml } = device;
	const names = Object.keys(outputs) as Name[];
	const wanted = names.map((name) => outputs[name]);
	checkOutputs(outputs);
	checkUpdates(updates);
	checkBufferNames(updates);
	const tensors = reachable([...wanted, ...updates.flatMap(({ target, value }) => [target, value])]);
	const bounds = indexBounds(tensors);
	requireRoom(device, tensors);

	const plan = lowering.prepare(wanted, updates);
	const graph = new Graph(device, lowering, schedule(plan), new Set(plan.outputs));
	const activations = graph.allocate();
	const disclaim = claimBuffers(updates);
	const reservation = reserve(graph.leaves.bytes, activations);
	const memory = {
		parameters: storedBytes(),
		leaves: graph.leaves.bytes,
		activations,
		peak: forecastPeak(device),
	};

	let open = true;
	return {
		memory,
		run(feeds = {}) {
			if (!open) throw new TensorError("run: the graph was closed");
			reservation.touched = true;
			graph.leaves.feed(feeds, bounds);
			const status = ggml.backend_graph_compute(device.backend, graph.pointer);
			if (status !== 0) throw new TensorError(`run: ggml failed with status ${status}`);
			const results = plan.outputs.map(
				(tensor) => new Result(tensor.shape, readTensor(device, graph.outputs.get(tensor)!, tensor.size)),
			);
			return Object.fromEntries(names.map((name, i) => [name, results[i]])) as Record<Name, Result>;
		},
		close() {
			if (!open) return;
			open = false;
			graph.free();
			disclaim();
			release(reservation);
		},
	};
}

let largestPeak = 0;

/** Bytes this process (on a GPU: the device) will hold at most: the largest forecast of all graphs compiled so far. */
export function memoryForecast(): number {
	return largestPeak;
}

/** Bytes held now, and those open graphs have still to touch. */
function forecastPeak(device: Device): number {
	const peak =
		device.kind === "cpu"
			? process.memoryUsage.rss() + untouchedBytes() + (device.kernels ? device.threads * SCRATCH_BYTES : 0)
			: storedBytes() + reservedBytes();
	largestPeak = Math.max(largestPeak, peak);
	return peak;
}

let cpuLowering: Lowering | undefined;

/** The fastest lowering the device can run. */
function loweringFor({ kernels, threads }: Device): Lowering {
	if (!kernels) return portable;
	cpuLowering ??= cpu(kernels, threads);
	return cpuLowering;
}
