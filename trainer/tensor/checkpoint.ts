/**
 * A trained model as data: its forward expression (graph.json) and its weights (model.safetensors). The evaluation runs
 * no code of train.ts, and checks everything in the files before it uses it.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CompiledGraph, compile } from "./compile.ts";
import { type Lookahead, lookahead, lookaheadProblem } from "./dependence/lookahead.ts";
import { configure, type DeviceOptions } from "./device/device.ts";
import { callSite, show, TensorError } from "./errors.ts";
import { checkShape, sameShape } from "./ops/define.ts";
import { abs, step, sub } from "./ops/elementwise.ts";
import { input, tensor } from "./ops/leaf.ts";
import { crossEntropy } from "./ops/nn.ts";
import { sum } from "./ops/reduce.ts";
import { build } from "./ops/table.ts";
import { Parameter, parameter } from "./parameter.ts";
import { type NamedValues, readSafetensors, writeSafetensors } from "./safetensors.ts";
import { reachable } from "./schedule.ts";
import { read, release } from "./storage.ts";
import { type Attributes, type Dtype, recorded, type Shape, type Tensor } from "./tensor.ts";

const VERSION = 1;
const GRAPH = "graph.json";
const WEIGHTS = "model.safetensors";
const MAX_GRAPH_BYTES = 64e6;
const MAX_NODES = 50_000;
/**
 * The largest magnitude of a logit: e^10000 is beyond any probability, and of logits far above this float32 keeps too
 * few digits to tell classes apart.
 */
const MAX_LOGIT = 1e4;

/** The evaluation's batches, and how many tokens there are. */
export interface EvaluationShape {
	rows: number;
	length: number;
	vocabSize: number;
}

/** One node of graph.json. `inputs` are positions of earlier nodes; `name` is a weight's name in the other file. */
interface StoredNode {
	op: string;
	inputs: number[];
	attrs: Attributes;
	shape: Shape;
	dtype: Dtype;
	name?: string;
}

interface StoredGraph extends EvaluationShape {
	version: typeof VERSION;
	nodes: StoredNode[];
}

/**
 * Writes the model that `logits` is, for token ids [rows, length], into a folder.
 * @throws TensorError when it needs anything but token ids, or gives anything but logits [rows, length, vocabSize].
 */
export function saveCheckpoint(dir: string, logits: (tokens: Tensor) => Tensor, shape: EvaluationShape): void {
	const { tokens, tensors, names } = describe(logits, shape);
	const position = new Map(tensors.map((node, i) => [node, i]));
	const nodes = tensors.map((node): StoredNode => {
		const { op, inputs, attrs, shape, dtype } = node;
		if (op === "input" && node !== tokens) throw new TensorError(`logits depend on input ${attrs.name}`);
		const name = names.get(node);
		const plain = { op, inputs: inputs.map((x) => position.get(x)!), attrs, shape, dtype };
		return name === undefined ? plain : { ...plain, attrs: {}, name };
	});
	const weights = new Map(
		[...names].map(([node, name]): [string, NamedValues] => [
			name,
			{ shape: node.shape, values: node instanceof Parameter ? read(node) : node.values! },
		]),
	);
	const graph: StoredGraph = { version: VERSION, ...shape, nodes };
	mkdirSync(dir, { recursive: true });
	writeSafetensors(join(dir, WEIGHTS), weights);
	writeFileSync(join(dir, `${GRAPH}.tmp`), JSON.stringify(graph));
	renameSync(join(dir, `${GRAPH}.tmp`), join(dir, GRAPH));
}

/**
 * The expression of a model for token ids [rows, length], and the names its weights are saved by. Called before
 * training too, because the same errors would occur after it.
 * @throws TensorError when the shapes do not fit or two parameters have one name.
 */
export function describe(logits: (tokens: Tensor) => Tensor, shape: EvaluationShape) {
	const tokens = input("tokens", [shape.rows, shape.length], "i32");
	const lines = new Map<Tensor, string | undefined>();
	const output = recorded(
		(node) => lines.set(node, callSite()),
		() => logits(tokens),
	);
	requireLogits(output, shape);
	const tensors = reachable([output]);
	const names = new Map<Tensor, string>();
	const taken = new Set<string>();
	for (const node of tensors) {
		if (!(node instanceof Parameter) && !node.values) continue;
		const name = node instanceof Parameter ? node.name : `constant.${names.size}`;
		if (taken.has(name)) throw new TensorError(`two parameters are named ${name}: give each a name of its own`);
		taken.add(name);
		names.set(node, name);
	}
	return { tokens, output, tensors, names, lines };
}

/**
 * Refuses a model that looks ahead whatever its weights become: found in its graph, before it is trained.
 * @throws TensorError naming the operation and its line in train.ts.
 */
export function refuseLookahead({ output, tokens, lines }: ReturnType<typeof describe>): void {
	const { where } = lookahead(output, tokens, "unknown");
	if (where) throw new TensorError(lookaheadProblem(where, lines.get(where)));
}

/** A saved model, ready to be measured. */
export interface Scorer extends EvaluationShape {
	readonly parameterCount: number;
	/** Whether its graph shows that no logit depends on tokens after its position or in other rows. */
	readonly lookahead: Lookahead;
	/**
	 * Nats at each position, [rows * length], of the targets given the tokens up to it.
	 * @throws TensorError when a logit is larger or smaller than ±10,000.
	 */
	losses(tokens: Int32Array, targets: Int32Array): Float32Array;
	/** Logits [rows * length * vocabSize]. */
	logits(tokens: Int32Array): Float32Array;
	/** Frees the model. */
	close(): void;
}

/**
 * Rebuilds a model from the files of `saveCheckpoint`. The expression passes the checks of any expression: known
 * operations, inferred shapes, weights of exactly the size they state.
 * @throws TensorError when the files are damaged or were tampered with.
 */
export function loadCheckpoint(dir: string, options: DeviceOptions = {}): Scorer {
	configure(options);
	const { rows, length, vocabSize, nodes } = parseGraph(join(dir, GRAPH));
	const { tokens, output, weights } = rebuild(nodes, readSafetensors(join(dir, WEIGHTS)), [rows, length]);
	requireLogits(output, { rows, length, vocabSize });

	const targets = input("targets", [rows, length], "i32");
	const found = lookahead(output, tokens);
	const losses = crossEntropy(output, targets, { reduction: "none" });
	// Logits that cannot be too large need not be looked at.
	const outputs: Record<string, Tensor> = { losses };
	if (found.largest > MAX_LOGIT) outputs.huge = sum(step(sub(abs(output), MAX_LOGIT)));
	const scoring = compile(outputs);
	let showing: CompiledGraph<"logits"> | undefined;
	return {
		rows,
		length,
		vocabSize,
		parameterCount: weights.reduce((total, { size }) => total + size, 0),
		lookahead: found,
		losses(tokens, targets) {
			const results = scoring.run({ tokens, targets });
			const count = results.huge?.item() ?? 0;
			if (count > 0) throw new TensorError(`${count} logits are beyond ±${MAX_LOGIT}: no model needs such logits`);
			return results.losses!.data;
		},
		logits(ids) {
			showing ??= compile({ logits: output });
			return showing.run({ [tokens.attrs.name as string]: ids }).logits.data;
		},
		close() {
			scoring.close();
			showing?.close();
			release(weights);
		},
	};
}

function requireLogits(output: Tensor, { rows, length, vocabSize }: EvaluationShape): void {
	if (output.dtype === "f32" && sameShape(output.shape, [rows, length, vocabSize])) return;
	const wanted = show([rows, length, vocabSize]);
	throw new TensorError(`logits of tokens ${show([rows, length])} must be ${wanted}, not ${show(output.shape)}`);
}

function parseGraph(path: string): StoredGraph {
	const bad = (problem: string) => new TensorError(`${path}: ${problem}`);
	const { size } = statSync(path);
	if (size > MAX_GRAPH_BYTES) throw bad(`${size} bytes are too many`);
	let graph: StoredGraph;
	try {
		graph = JSON.parse(readFileSync(path, "utf8")) as StoredGraph;
	} catch {
		throw bad("is not JSON");
	}
	if (graph?.version !== VERSION) throw bad(`is not a checkpoint of version ${VERSION}`);
	const { rows, length, vocabSize, nodes } = graph;
	checkShape("checkpoint", [rows, length, vocabSize]);
	if (!Array.isArray(nodes) || nodes.length === 0 || nodes.length > MAX_NODES) throw bad("has no list of nodes");
	return graph;
}

function rebuild(nodes: readonly StoredNode[], stored: ReadonlyMap<string, NamedValues>, tokenShape: Shape) {
	const tokens = input("tokens", tokenShape, "i32");
	const built: Tensor[] = [];
	const weights: Parameter[] = [];
	const used = new Set<string>();
	nodes.forEach((node, i) => {
		const bad = (problem: string) => new TensorError(`checkpoint: node ${i} ${problem}`);
		const isNode = typeof node?.op === "string" && Array.isArray(node.inputs) && Array.isArray(node.shape);
		if (!isNode || typeof node.attrs !== "object" || node.attrs === null) throw bad("is not a node");
		const made = make(node, bad);
		if (!sameShape(made.shape, node.shape) || made.dtype !== node.dtype) {
			throw bad(`says ${node.dtype} ${show(node.shape)} where ${made.op} gives ${made.dtype} ${show(made.shape)}`);
		}
		built.push(made);
	});
	return { tokens, output: built.at(-1)!, weights };

	function make(node: StoredNode, bad: (problem: string) => TensorError): Tensor {
		if (node.op === "input") return tokens;
		if (node.op === "parameter" || node.op === "constant") {
			const { name = "" } = node;
			const found = stored.get(name);
			if (!found || used.has(name)) throw bad(`has no weights named ${JSON.stringify(name)} of its own`);
			used.add(name);
			const leaf = tensor(found.values, found.shape);
			if (node.op === "constant") return leaf;
			const weight = parameter(name, leaf);
			weights.push(weight);
			return weight;
		}
		const inputs = node.inputs.map((at) => {
			const earlier = Number.isInteger(at) ? built[at] : undefined;
			if (!earlier) throw bad("takes an input that does not come before it");
			return earlier;
		});
		return build(node.op, inputs, node.attrs);
	}
}
