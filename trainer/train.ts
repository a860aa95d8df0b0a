/**
 * Trains a small GPT. This is the file the researcher edits: model, optimizer and loop are all here, and everything may
 * change. What may not change is the contract with the harness (contract.ts):
 *
 *   batch                              the shape of the batches train() wants, in tokens
 *   build(vocabSize, seed)             makes the model; its logits(tokens [B, T]) are [B, T, vocabSize], and position t
 *                                      may depend on tokens 0..t only
 *   train(model, batches, report)      takes a step for each batch until there are no more: then the budget is spent
 *
 * The harness owns the data, the clock and the metric, validation bits per byte: lower is better. The same seconds go to
 * every experiment, so a faster step is worth as much as a better one. Tensors are described in tensor/README.md.
 */
import type { Batch, Model, StepReport } from "./contract.ts";
import {
	adamw,
	assign,
	attention,
	compile,
	crossEntropy,
	embedding,
	full,
	gelu,
	grad,
	input,
	linear,
	muon,
	normal,
	type Operand,
	type Parameter,
	parameter,
	parameters,
	relu,
	rmsNorm,
	rotary,
	scalar,
	seeded,
	shift,
	sigmoid,
	silu,
	softcap,
	square,
	state,
	type Tensor,
	tanh,
	type Update,
	uniform,
	zeros,
} from "./tensor/index.ts";

// ---------------------------------------------------------------------------------------------------------------------
// Constants. Every tunable number and choice is here, one a line.

// Batch
const ROWS = 8; // 1..64 sequences in one batch
const LENGTH = 256; // 32..1024 tokens in a sequence
const ACCUMULATE: number = 1; // 1..16 batches whose gradients make one optimizer step

// Model
const DEPTH = 3; // 1..12 layers
const HEADS = 4; // 1..16 attention heads
const HEAD_WIDTH = 32; // 16..128 width of a head, even; the model is HEADS * HEAD_WIDTH wide
const QUERIES_PER_KEY = 1; // 1..4 query heads that share one key and value head; must divide HEADS
const MLP_RATIO = 4; // 1..8 hidden width of the MLP over the model's width
const ACTIVATION: "relu2" | "gelu" | "silu" | "tanh" = "relu2"; // of the MLP
const GATED_MLP: boolean = false; // a second projection multiplies the hidden layer
const WINDOW_PATTERN: "L" | "SL" | "SSL" | "SSSL" | "S" = "L"; // attention by layer, repeated: Long sees all, Short half; the last is Long
const NORM: "pre" | "pre+post" = "pre"; // where each layer normalises: what it reads, or also what it adds
const QK_NORM: boolean = true; // normalise queries and keys after the rotation
const ROTARY_BASE = 10000; // 100..1000000 slowest wavelength of the rotary positions
const SOFTCAP = 15; // 0..50 bound of the logits; 0 for none
const TIED_EMBEDDINGS: boolean = false; // one matrix for token embedding and output head
const VALUE_EMBEDDINGS: "none" | "alternate" | "all" = "all"; // layers whose values get a gated embedding of the token
const VALUE_GATE_CHANNELS = 32; // 1..128 channels that decide how much
const TOKEN_SHIFT: boolean = true; // mix the previous token's embedding in, by a learned weight for each channel
const RESIDUAL_SCALARS: boolean = true; // each layer weighs the residual stream and the first embedding, learned

const BF16: boolean = true; // matrix products in bf16, summed in f32, where the CPU is faster at that

// Initialisation
const EMBEDDING_STD = 1; // 0.01..2
const HEAD_STD = 0.001; // 0.0001..0.1
const FIRST_EMBEDDING_SCALE = 0.1; // 0..1 initial weight of the first embedding in each layer

// Optimizer: Muon for matrices, AdamW for the rest
const MATRIX_LR = 0.02; // 0.001..0.2
const EMBEDDING_LR = 0.6; // 0.01..2 of AdamW at width 768; goes with 1 / sqrt(width)
const HEAD_LR = 0.008; // 0.0005..0.05 likewise
const SCALAR_LR = 0.05; // 0.001..1 of the residual scalars
const MOMENTUM = 0.95; // 0.8..0.99 of Muon
const MOMENTUM_START = 0.85; // 0.5..0.95 at the first step
const MOMENTUM_WARMUP: number = 0.1; // 0..0.5 share of the budget in which momentum rises
const ROW_BETA = 0.95; // 0..0.99 of Muon's second moment, which evens out the rows of an update; 0 for none
const WEIGHT_DECAY = 0.1; // 0..0.5 of the matrices; falls to 0 with the budget
const BETA1 = 0.9; // 0.5..0.95 of AdamW
const BETA2 = 0.99; // 0.9..0.999 of AdamW

// Schedule: shares of the budget
const WARMUP: number = 0; // 0..0.2 in which learning rates rise from 0
const WARMDOWN: number = 0.5; // 0..1 in which they fall at the end
const FINAL_LR = 0.05; // 0..0.5 the multiplier they fall to

// ---------------------------------------------------------------------------------------------------------------------
// Model

const WIDTH = HEADS * HEAD_WIDTH;
const KEY_HEADS = HEADS / QUERIES_PER_KEY;

export const batch = { rows: ROWS, length: LENGTH };

export function build(vocabSize: number, seed: number): Model {
	const random = seeded(seed);
	// Uniform with the variance of 1 / inputs; matrices that write into the residual stream start at zero.
	const matrix = (name: string, out: number, width: number) =>
		parameter(name, uniform([out, width], Math.sqrt(3 / width), random));
	const silent = (name: string, out: number, width: number) => parameter(name, zeros([out, width]));

	const tokenEmbedding = parameter("embedding", normal([vocabSize, WIDTH], EMBEDDING_STD, random));
	const previous = TOKEN_SHIFT ? parameter("previous", zeros([WIDTH])) : undefined;
	const head = TIED_EMBEDDINGS ? tokenEmbedding : parameter("head", normal([vocabSize, WIDTH], HEAD_STD, random));
	const layers = Array.from({ length: DEPTH }, (_, i) => {
		const name = `layer${i}`;
		return {
			window: windowOf(i),
			query: matrix(`${name}.query`, HEADS * HEAD_WIDTH, WIDTH),
			key: matrix(`${name}.key`, KEY_HEADS * HEAD_WIDTH, WIDTH),
			value: matrix(`${name}.value`, KEY_HEADS * HEAD_WIDTH, WIDTH),
			out: silent(`${name}.out`, WIDTH, HEADS * HEAD_WIDTH),
			up: matrix(`${name}.up`, MLP_RATIO * WIDTH, WIDTH),
			gate: GATED_MLP ? matrix(`${name}.gate`, MLP_RATIO * WIDTH, WIDTH) : undefined,
			down: silent(`${name}.down`, WIDTH, MLP_RATIO * WIDTH),
			residual: RESIDUAL_SCALARS ? parameter(`${name}.residual`, full([], 1)) : undefined,
			first: RESIDUAL_SCALARS ? parameter(`${name}.first`, full([], FIRST_EMBEDDING_SCALE)) : undefined,
			...valueEmbedding(i, name),
		};
	});
	type Layer = (typeof layers)[number];

	function valueEmbedding(i: number, name: string) {
		const has = VALUE_EMBEDDINGS === "all" || (VALUE_EMBEDDINGS === "alternate" && i % 2 === (DEPTH - 1) % 2);
		if (!has) return {};
		const table = uniform([vocabSize, KEY_HEADS * HEAD_WIDTH], Math.sqrt(3 / WIDTH), random);
		return {
			valueTable: parameter(`${name}.valueEmbedding`, table),
			valueGate: silent(`${name}.valueGate`, KEY_HEADS, VALUE_GATE_CHANNELS),
		};
	}

	function logits(tokens: Tensor): Tensor {
		const embedded = rmsNorm(embedding(tokens, tokenEmbedding)); // [B, T, WIDTH]
		const first = previous ? embedded.add(shift(embedded, 1).mul(previous)) : embedded;
		let x = first;
		for (const layer of layers) {
			if (layer.residual && layer.first) x = x.mul(layer.residual).add(first.mul(layer.first));
			x = x.add(post(attend(layer, rmsNorm(x), tokens)));
			x = x.add(post(mlp(layer, rmsNorm(x))));
		}
		return softcap(project(rmsNorm(x), head), SOFTCAP); // [B, T, vocabSize]
	}

	function attend(layer: Layer, x: Tensor, tokens: Tensor): Tensor {
		const [B, T] = x.shape as [number, number, number];
		const heads = (weight: Tensor) => project(x, weight).reshape([B, T, -1, HEAD_WIDTH]);
		const q = rotate(heads(layer.query)); // [B, T, HEADS, HEAD_WIDTH]
		const k = rotate(heads(layer.key)); // [B, T, KEY_HEADS, HEAD_WIDTH]
		let v = heads(layer.value); // [B, T, KEY_HEADS, HEAD_WIDTH]
		if (layer.valueTable && layer.valueGate) {
			const gate = sigmoid(linear(x.slice(-1, 0, VALUE_GATE_CHANNELS), layer.valueGate)).mul(2); // [B, T, KEY_HEADS]
			v = v.add(
				embedding(tokens, layer.valueTable)
					.reshape(v.shape)
					.mul(gate.reshape([B, T, KEY_HEADS, 1])),
			);
		}
		return project(attention(q, k, v, { window: layer.window }).reshape([B, T, -1]), layer.out);
	}

	function mlp(layer: Layer, x: Tensor): Tensor {
		const hidden = activate(project(x, layer.up)); // [B, T, MLP_RATIO * WIDTH]
		return project(layer.gate ? hidden.mul(project(x, layer.gate)) : hidden, layer.down);
	}

	return { logits };
}

/** How far attention of a layer looks back, in tokens; 0 for all the way. */
function windowOf(layer: number): number {
	const isShort = layer < DEPTH - 1 && WINDOW_PATTERN[layer % WINDOW_PATTERN.length] === "S";
	return isShort ? Math.floor(LENGTH / 2) : 0;
}

function project(x: Tensor, weight: Tensor): Tensor {
	return linear(x, weight, { bf16: BF16 });
}

function rotate(x: Tensor): Tensor {
	const rotated = rotary(x, { base: ROTARY_BASE });
	return QK_NORM ? rmsNorm(rotated) : rotated;
}

function post(x: Tensor): Tensor {
	return NORM === "pre+post" ? rmsNorm(x) : x;
}

function activate(x: Tensor): Tensor {
	return { relu2: (x: Tensor) => square(relu(x)), gelu, silu, tanh }[ACTIVATION](x);
}

// ---------------------------------------------------------------------------------------------------------------------
// Optimizer

/** One step for every parameter. The learning rates are multiplied by `lr`, which the schedule feeds. */
function optimize(weights: Parameter[], gradients: Tensor[], lr: Tensor, momentum: Operand, decay: Operand): Update[] {
	const byGroup = Map.groupBy(weights, groupOf);
	const group = (name: ReturnType<typeof groupOf>) => {
		const members = byGroup.get(name) ?? [];
		return [members, members.map((weight) => gradients[weights.indexOf(weight)] as Tensor)] as const;
	};
	const betas = { beta1: BETA1, beta2: BETA2, eps: 1e-10 };
	const widthScale = Math.sqrt(768 / WIDTH);
	return [
		...muon(...group("matrix"), { lr: lr.mul(MATRIX_LR), momentum, weightDecay: decay, beta2: ROW_BETA, bf16: BF16 }),
		...adamw(...group("embedding"), { lr: lr.mul(EMBEDDING_LR * widthScale), ...betas }),
		...adamw(...group("head"), { lr: lr.mul(HEAD_LR * widthScale), ...betas }),
		...adamw(...group("scalar"), { lr: lr.mul(SCALAR_LR), ...betas }),
	];
}

function groupOf({ name, shape }: Parameter): "matrix" | "embedding" | "head" | "scalar" {
	if (shape.length < 2) return "scalar";
	if (name === "head" || (name === "embedding" && TIED_EMBEDDINGS)) return "head";
	return /embedding$/i.test(name) ? "embedding" : "matrix";
}

/** What each step feeds, by the share of the budget that has passed. */
function schedule(progress: number) {
	const warmup = WARMUP === 0 ? 1 : Math.min(1, progress / WARMUP);
	const warmdown = WARMDOWN === 0 ? 1 : Math.min(1, (1 - progress) / WARMDOWN);
	const rise = MOMENTUM_WARMUP === 0 ? 1 : Math.min(1, progress / MOMENTUM_WARMUP);
	return {
		lr: warmup * (FINAL_LR + (1 - FINAL_LR) * warmdown),
		momentum: MOMENTUM_START + (MOMENTUM - MOMENTUM_START) * rise,
		decay: WEIGHT_DECAY * (1 - progress),
	};
}

// ---------------------------------------------------------------------------------------------------------------------
// Loop

export function train(model: Model, batches: Iterable<Batch>, report: (step: StepReport) => void): void {
	const tokens = input("tokens", [ROWS, LENGTH], "i32");
	const targets = input("targets", [ROWS, LENGTH], "i32");
	const [lr, momentum, decay] = [scalar("lr"), scalar("momentum"), scalar("decay")];
	const loss = crossEntropy(model.logits(tokens), targets);
	const weights = parameters(loss);
	const gradients = grad(loss, weights);

	if (ACCUMULATE === 1) {
		const step = compile({ loss }, optimize(weights, gradients, lr, momentum, decay));
		for (const { tokens, targets, progress } of batches) {
			const now = schedule(progress);
			const { loss } = step.run({ tokens, targets, ...now });
			report({ loss: checked(loss.item()), lrMultiplier: now.lr });
		}
		return;
	}

	const sums = weights.map(({ name, shape }) => state(`sum.${name}`, zeros(shape)));
	const losses = state("sum.loss", zeros(loss.shape));
	const add = compile({}, [
		...sums.map((sum, i) => assign(sum, sum.add(gradients[i] as Tensor))),
		assign(losses, losses.add(loss)),
	]);
	const means = sums.map((sum) => sum.div(ACCUMULATE));
	const step = compile({ loss: losses.div(ACCUMULATE) }, [
		...optimize(weights, means, lr, momentum, decay),
		...[...sums, losses].map((sum) => assign(sum, zeros(sum.shape))),
	]);
	let count = 0;
	for (const { tokens, targets, progress } of batches) {
		add.run({ tokens, targets });
		if (++count % ACCUMULATE !== 0) continue;
		const now = schedule(progress);
		const { loss } = step.run(now);
		report({ loss: checked(loss.item()), lrMultiplier: now.lr });
	}
}

/** A run that has gone wrong ends at once: the rest of its budget would be wasted. */
function checked(loss: number): number {
	if (!(loss < 100)) throw new Error(`the loss is ${loss}: training diverged`);
	return loss;
}
