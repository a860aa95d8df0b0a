/**
 * What one optimizer step of train.ts asks of a GPU, counted from the graphs that are compiled for it; nothing is
 * computed, so no GPU is needed. The constants are those of Karpathy's H100 configuration (depth 8, width 512, context
 * 2048, 2^19 tokens a step); the nodes are those a CUDA device would be given. docs/gpu.md has the table.
 *
 *     node scripts/check-gpu/count.ts [--rows 16] [--json]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { elementsWritten, meetsConditions, SUPPORTED } from "../../test/trainer/tensor/device/op-support.ts";
import type { TrainingFile } from "../../trainer/contract.ts";
import { BYTES } from "../../trainer/tensor/ggml.ts";
import { configure, input, parameters } from "../../trainer/tensor/index.ts";

const VOCABULARY = 8192;
const TOKENS_PER_STEP = 2 ** 19;
const LENGTH = 2048;

/** Nodes that only describe other memory: no kernel runs for them. */
const VIEWS = new Set(["NONE", "RESHAPE", "VIEW", "PERMUTE", "TRANSPOSE"]);

const { values: flags } = parseArgs({
	options: { rows: { type: "string", default: "16" }, json: { type: "boolean", default: false } },
});
const rows = Number(flags.rows);
const microSteps = TOKENS_PER_STEP / (rows * LENGTH);
if (!Number.isInteger(microSteps) || microSteps < 2)
	throw new Error(`--rows ${flags.rows}: 2^19 tokens are no whole number of batches of ${LENGTH} x ${flags.rows}`);

/** A graph each time it would be computed. */
interface Computed {
	kernels: number;
	written: number;
	writtenBy: Record<string, number>;
}

const device = configure({ threads: 1 });
const { ggml, supports } = device;
const computed: Computed[] = [];
const nothingMoved = { uploads: 0, toDevice: 0, readBacks: 0, fromDevice: 0 };
const moved = { ...nothingMoved };
const activations: number[] = [];

Object.assign(device, {
	kind: "cuda",
	supports: (node: bigint) => SUPPORTED.cuda.has(ggml.op_desc(node)) && meetsConditions(ggml, node) && supports(node),
});
const { backend_tensor_set, backend_tensor_get, gallocr_reserve_n_size } = ggml;
Object.assign(ggml, {
	backend_graph_compute(_backend: bigint, graph: bigint) {
		computed.push(count(graph));
		return 0;
	},
	backend_tensor_set(tensor: bigint, data: Uint8Array, offset: number, bytes: number) {
		moved.uploads++;
		moved.toDevice += bytes;
		backend_tensor_set(tensor, data, offset, bytes);
	},
	backend_tensor_get(tensor: bigint, data: Uint8Array, offset: number, bytes: number) {
		moved.readBacks++;
		moved.fromDevice += bytes;
		backend_tensor_get(tensor, data, offset, bytes);
	},
	gallocr_reserve_n_size(allocator: bigint, graph: bigint, a: null, b: null, bytes: BigUint64Array) {
		gallocr_reserve_n_size(allocator, graph, a, b, bytes);
		activations.push(Number(bytes[0]));
	},
});

function count(graph: bigint): Computed {
	const result: Computed = { kernels: 0, written: 0, writtenBy: {} };
	for (let i = 0; i < ggml.graph_n_nodes(graph); i++) {
		const node = ggml.graph_node(graph, i);
		const name = ggml.op_desc(node);
		if (VIEWS.has(name)) continue;
		const bytes = elementsWritten(ggml, node) * BYTES;
		result.kernels++;
		result.written += bytes;
		result.writtenBy[name] = (result.writtenBy[name] ?? 0) + bytes;
	}
	return result;
}

const file = await configured({
	DEVICE_BATCH_SIZE: rows,
	MAX_SEQ_LEN: LENGTH,
	GRAD_ACCUM_STEPS: microSteps,
	DEPTH: 8,
	N_HEAD: 4,
	N_KV_HEAD: 4,
	HEAD_DIM: 128,
	WINDOW_PATTERN: '"SSSL"',
	VALUE_EMBEDDINGS: '"alternate"',
	TOKEN_SHIFT: false,
});
const model = file.build(VOCABULARY, 1);
const weights = parameters(model.logits(input("tokens", [rows, LENGTH], "i32")));
const steps: ({ computed: Computed[] } & typeof moved)[] = [];
file.train(model, batches(2 * microSteps), () => {
	steps.push({ computed: computed.splice(0), ...moved });
	Object.assign(moved, nothingMoved);
});

// The first step also moves the parameters to the device.
const { computed: graphs, ...traffic } = steps[1]!;
const [micro, update] = [graphs[0]!, graphs.at(-1)!];
const total = (of: (graph: Computed) => number) => graphs.reduce((sum, graph) => sum + of(graph), 0);
const report = {
	parameters: weights.reduce((sum, { size }) => sum + size, 0),
	microSteps,
	kernels: { micro: micro.kernels, update: update.kernels, step: total(({ kernels }) => kernels) },
	written: { micro: micro.written, update: update.written, step: total(({ written }) => written) },
	activations: { micro: activations[0], update: activations[1] },
	...traffic,
	microWrittenBy: micro.writtenBy,
};

const gb = (bytes = 0) => `${(bytes / 1e9).toFixed(1)} GB`;
console.log(
	`${(report.parameters / 1e6).toFixed(1)}M parameters, ${microSteps} micro-steps of ${rows} x ${LENGTH} tokens\n`,
);
console.table({
	kernels: report.kernels,
	"bytes the kernels write": Object.fromEntries(Object.entries(report.written).map(([of, bytes]) => [of, gb(bytes)])),
	activations: { micro: gb(report.activations.micro), update: gb(report.activations.update) },
	"host to device": { step: `${report.toDevice} bytes in ${report.uploads}` },
	"device to host": { step: `${report.fromDevice} bytes in ${report.readBacks}` },
});
const largest = Object.entries(report.microWrittenBy).sort(([, a], [, b]) => b - a);
console.log(`a micro-step writes by ${largest.map(([op, bytes]) => `${op} ${gb(bytes)}`).join(", ")}`);
if (flags.json) console.log(JSON.stringify(report));

/** train.ts with other constants. */
async function configured(constants: Record<string, unknown>): Promise<TrainingFile> {
	const trainer = join(import.meta.dirname, "../../trainer");
	let source = readFileSync(join(trainer, "train.ts"), "utf8").replaceAll('"./', `"${pathToFileURL(trainer).href}/`);
	for (const [name, value] of Object.entries(constants)) {
		const line = new RegExp(`^(const ${name}(?:: [^=]+)? = )[^;]+;`, "m");
		if (!line.test(source)) throw new Error(`train.ts has no constant ${name}`);
		source = source.replace(line, `$1${value};`);
	}
	const dir = mkdtempSync(join(tmpdir(), "autoresearch-count-"));
	try {
		writeFileSync(join(dir, "train.ts"), source);
		return await import(pathToFileURL(join(dir, "train.ts")).href);
	} finally {
		rmSync(dir, { recursive: true });
	}
}

function* batches(count: number) {
	const ids = new Int32Array(rows * LENGTH);
	for (let index = 0; index < count; index++)
		yield { tokens: ids, targets: ids, index, progress: index / count, epoch: 1 };
}
