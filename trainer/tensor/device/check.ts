/** Checks that a device computes: a driver may list it and yet be unable to run the kernels of this build of ggml. */
import { BYTES, type Ggml, log, type Pointer, TYPE } from "../ggml.ts";

/** Rows and columns: enough for the libraries and kernels that matrix products are made with. */
const N = 32;
/** Small whole numbers, which no rounding of factors changes. */
const VALUES = Float32Array.from({ length: N * N }, (_, i) => ((i * 7) % 11) - 5);

/**
 * Has a device compute A·Aᵀ + A.
 * @returns what is wrong with it. A device's error may also end the process, after ggml has written it to stderr.
 */
export function checkCompute(ggml: Ggml, device: Pointer): string | undefined {
	const backend = ggml.backend_dev_init(device, null);
	if (!backend) return `it could not be started: ${log.at(-1) ?? "no reason given"}`;
	const capacity = 8;
	const size = capacity * Number(ggml.tensor_overhead()) + Number(ggml.graph_overhead_custom(capacity, false));
	// Nothing is freed: the process ends soon.
	const context = ggml.init({ mem_size: size, mem_buffer: null, no_alloc: true });
	const a = ggml.new_tensor_4d(context, TYPE.f32, N, N, 1, 1);
	const y = ggml.add(context, ggml.mul_mat(context, a, a), a);
	const graph = ggml.new_graph_custom(context, capacity, false);
	ggml.build_forward_expand(graph, y);
	const buffer = ggml.backend_alloc_ctx_tensors(context, backend);
	if (!buffer) return `it has no memory: ${log.at(-1) ?? "no reason given"}`;
	ggml.backend_tensor_set(a, VALUES, 0, VALUES.byteLength);
	const status = ggml.backend_graph_compute(backend, graph);
	if (status !== 0) return `it could not compute: ggml failed with status ${status}`;
	const result = new Float32Array(N * N);
	ggml.backend_tensor_get(y, result, 0, N * N * BYTES);
	const isWrong = result.some((value, i) => value !== expected(Math.floor(i / N), i % N));
	return isWrong ? "it computes wrong numbers" : undefined;
}

function expected(row: number, column: number): number {
	let sum = VALUES[row * N + column]!;
	for (let k = 0; k < N; k++) sum += VALUES[row * N + k]! * VALUES[column * N + k]!;
	return sum;
}
