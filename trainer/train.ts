/**
 * Trains a small GPT. This is the file the researcher edits: model, optimizer and training loop are all here, and all
 * of it may change. Constants are named as in karpathy/autoresearch's train.py, weights as in karpathy/nanochat's
 * gpt.py. What may not change is the contract with the harness (contract.ts):
 *
 *   batch                              the shape of the batches train() wants, in tokens
 *   build(vocabSize, seed)             makes the model; its logits(tokens [B, T]) are [B, T, vocabSize], and position t
 *                                      may depend on tokens 0..t only
 *   train(model, batches, report)      takes a step for each batch until there are no more: then the budget is spent
 *
 * The harness owns the data, the clock and the metric, validation bits per byte: lower is better. Every experiment gets
 * the same seconds, so a faster step is worth as much as a better one. tensor/README.md lists the operations, all of
 * which are in `nn`.
 */
import type { Batch, Model, StepReport } from "./contract.ts";
import * as nn from "./tensor/index.ts";

// ---------------------------------------------------------------------------------------------------------------------
// Constants. Every tunable number and choice is here, one a line.

// Batch
const DEVICE_BATCH_SIZE = 8; // 1..64 sequences in a batch
const MAX_SEQ_LEN = 256; // 32..1024 tokens in a sequence
const GRAD_ACCUM_STEPS: number = 1; // 1..16 batches whose mean gradient makes one optimizer step

// Model
const DEPTH = 3; // 1..12 layers
const N_HEAD = 4; // 1..16 query heads; the model is N_HEAD * HEAD_DIM wide
const N_KV_HEAD = 4; // 1..16 key and value heads, each shared by N_HEAD / N_KV_HEAD query heads; must divide N_HEAD
const HEAD_DIM = 32; // 16..128, multiple of 8
const MLP_RATIO = 4; // 1..8 hidden width of the MLP over the model's width
const ACTIVATION: "relu2" | "gelu" | "silu" | "tanh" = "relu2"; // of the MLP; relu2 is relu(x)²
const GATED_MLP: boolean = false; // a second projection multiplies the hidden layer: SwiGLU with silu (Shazeer 2020)
// Sliding windows, tiled over the layers: L sees the whole context, S half of it. The last layer is always L.
const WINDOW_PATTERN: "L" | "SL" | "SSL" | "SSSL" | "S" = "L";
const NORM: "pre" | "pre+post" = "pre"; // RMSNorm of what a sublayer reads, or also of what it adds
const QK_NORM: boolean = true; // RMSNorm of queries and keys after the rotary embedding
const ROPE_BASE = 10000; // 100..1000000 base of the rotary embedding: pairs turn by 1 to about 1 / base a token
const LOGIT_SOFTCAP = 15; // 0..50 logits are softcap * tanh(logits / softcap); 0 for none
const TIE_EMBEDDINGS: boolean = false; // one matrix for wte and lm_head
const VALUE_EMBEDDINGS: "none" | "alternate" | "all" = "all"; // layers that add a gated embedding of the token to v
const VE_GATE_CHANNELS = 32; // 1..128 channels of the layer's input that the gate of a value embedding reads
const TOKEN_SHIFT: boolean = true; // add the previous token's embedding, weighed by channel (RWKV's token shift)
const RESID_LAMBDAS: boolean = true; // each layer scales the residual stream and adds the scaled embedding x0, learned

const BF16: boolean = true; // matrix products in bf16, summed in f32, where the device is faster at that

// Initialisation
const EMBEDDING_INIT_STD = 1; // 0.01..2 of wte
const UNEMBEDDING_INIT_STD = 0.001; // 0.0001..0.1 of lm_head
const X0_LAMBDA_INIT = 0.1; // 0..1

// Optimizer: Muon for matrices, AdamW for the rest
const MATRIX_LR = 0.02; // 0.001..0.2 of Muon
const EMBEDDING_LR = 0.6; // 0.01..2 of wte and value embeddings at width 768; goes with 1 / sqrt(width)
const UNEMBEDDING_LR = 0.008; // 0.0005..0.05 of lm_head, likewise
const SCALAR_LR = 0.05; // 0.001..1 of resid_lambdas, x0_lambdas and token_shift
const MUON_MOMENTUM = 0.95; // 0.8..0.99
const MUON_MOMENTUM_START = 0.85; // 0.5..0.95 at the first step
const MUON_MOMENTUM_WARMUP_RATIO: number = 0.1; // 0..0.5 share of the budget in which momentum rises
const MUON_BETA2 = 0.95; // 0..0.99 of the second moment of an update's rows (NorMuon, Li et al. 2025); 0 for none
const WEIGHT_DECAY = 0.1; // 0..0.5 of the matrices; falls to 0 with the budget
const ADAM_BETA1 = 0.9; // 0.5..0.95
const ADAM_BETA2 = 0.99; // 0.9..0.999

// Schedule
const WARMUP_RATIO: number = 0; // 0..0.2 share of the budget in which learning rates rise from 0
const WARMDOWN_RATIO: number = 0.5; // 0..1 share of the budget, at its end, in which they fall
const FINAL_LR_FRAC = 0.05; // 0..0.5 final learning rate over the full one

// ---------------------------------------------------------------------------------------------------------------------
// Model

const N_EMBD = N_HEAD * HEAD_DIM;

/** What steps a parameter: Muon for matrices, AdamW with a learning rate of its own for each of the others. */
type Group = "matrix" | "embedding" | "unembedding" | "scalar";

interface GPT extends Model {
	/** Every parameter's group, stated where the parameter is made. */
	groups: ReadonlyMap<nn.Parameter, Group>;
}

export const batch = { rows: DEVICE_BATCH_SIZE, length: MAX_SEQ_LEN };

export function build(vocabSize: number, seed: number): GPT {
	const random = nn.seeded(seed);
	const groups = new Map<nn.Parameter, Group>();
	function parameter(group: Group, name: string, initial: nn.Tensor): nn.Parameter {
		const made = nn.parameter(name, initial);
		groups.set(made, group);
		return made;
	}
	// Uniform with a standard deviation of 1 / sqrt(inputs).
	const matrix = (name: string, out: number, inputs: number) =>
		parameter("matrix", name, nn.uniform([out, inputs], Math.sqrt(3 / inputs), random));
	// Projections into the residual stream start at zero, so that each layer starts as the identity.
	const zeroInit = (name: string, out: number, inputs: number) => parameter("matrix", name, nn.zeros([out, inputs]));

	const wte = parameter(
		TIE_EMBEDDINGS ? "unembedding" : "embedding",
		"wte",
		nn.normal([vocabSize, N_EMBD], EMBEDDING_INIT_STD, random),
	);
	const tokenShift = TOKEN_SHIFT ? parameter("scalar", "token_shift", nn.zeros([N_EMBD])) : undefined;
	const lmHead = TIE_EMBEDDINGS
		? wte
		: parameter("unembedding", "lm_head", nn.normal([vocabSize, N_EMBD], UNEMBEDDING_INIT_STD, random));
	const layers = Array.from({ length: DEPTH }, (_, i) => ({
		window: windowOf(i),
		q: matrix(`h.${i}.attn.c_q`, N_HEAD * HEAD_DIM, N_EMBD),
		k: matrix(`h.${i}.attn.c_k`, N_KV_HEAD * HEAD_DIM, N_EMBD),
		v: matrix(`h.${i}.attn.c_v`, N_KV_HEAD * HEAD_DIM, N_EMBD),
		attnProj: zeroInit(`h.${i}.attn.c_proj`, N_EMBD, N_HEAD * HEAD_DIM),
		fc: matrix(`h.${i}.mlp.c_fc`, MLP_RATIO * N_EMBD, N_EMBD),
		gate: GATED_MLP ? matrix(`h.${i}.mlp.c_gate`, MLP_RATIO * N_EMBD, N_EMBD) : undefined,
		mlpProj: zeroInit(`h.${i}.mlp.c_proj`, N_EMBD, MLP_RATIO * N_EMBD),
		residLambda: RESID_LAMBDAS ? parameter("scalar", `resid_lambdas.${i}`, nn.full([], 1)) : undefined,
		x0Lambda: RESID_LAMBDAS ? parameter("scalar", `x0_lambdas.${i}`, nn.full([], X0_LAMBDA_INIT)) : undefined,
		...valueEmbedding(i),
	}));
	type Layer = (typeof layers)[number];

	/** Value embeddings (ResFormer, Zhou et al. 2024), gated for each key and value head. */
	function valueEmbedding(i: number) {
		const has = VALUE_EMBEDDINGS === "all" || (VALUE_EMBEDDINGS === "alternate" && i % 2 === (DEPTH - 1) % 2);
		if (!has) return {};
		const table = nn.uniform([vocabSize, N_KV_HEAD * HEAD_DIM], Math.sqrt(3 / N_EMBD), random);
		return {
			valueEmbed: parameter("embedding", `value_embeds.${i}`, table),
			veGate: zeroInit(`h.${i}.attn.ve_gate`, N_KV_HEAD, VE_GATE_CHANNELS),
		};
	}

	function logits(tokens: nn.Tensor): nn.Tensor {
		const embedded = nn.rmsNorm(nn.embedding(tokens, wte)); // [B, T, N_EMBD]
		const x0 = tokenShift ? embedded.add(nn.shift(embedded, 1).mul(tokenShift)) : embedded;
		let x = x0;
		for (const layer of layers) {
			if (layer.residLambda && layer.x0Lambda) x = x.mul(layer.residLambda).add(x0.mul(layer.x0Lambda));
			x = x.add(postNorm(attend(layer, nn.rmsNorm(x), tokens)));
			x = x.add(postNorm(mlp(layer, nn.rmsNorm(x))));
		}
		return nn.softcap(project(nn.rmsNorm(x), lmHead), LOGIT_SOFTCAP); // [B, T, vocabSize]
	}

	function attend(layer: Layer, x: nn.Tensor, tokens: nn.Tensor): nn.Tensor {
		const [B, T] = x.shape as [number, number, number];
		const heads = (weight: nn.Tensor) => project(x, weight).reshape([B, T, -1, HEAD_DIM]);
		const q = rotate(heads(layer.q)); // [B, T, N_HEAD, HEAD_DIM]
		const k = rotate(heads(layer.k)); // [B, T, N_KV_HEAD, HEAD_DIM]
		let v = heads(layer.v); // [B, T, N_KV_HEAD, HEAD_DIM]
		if (layer.valueEmbed && layer.veGate) {
			// [B, T, N_KV_HEAD], from 0 to 2; 1 at the start.
			const gate = nn.sigmoid(nn.linear(x.slice(-1, 0, VE_GATE_CHANNELS), layer.veGate)).mul(2);
			v = v.add(
				nn
					.embedding(tokens, layer.valueEmbed)
					.reshape(v.shape)
					.mul(gate.reshape([B, T, N_KV_HEAD, 1])),
			);
		}
		return project(nn.attention(q, k, v, { window: layer.window }).reshape([B, T, -1]), layer.attnProj);
	}

	function mlp(layer: Layer, x: nn.Tensor): nn.Tensor {
		const hidden = activate(project(x, layer.fc)); // [B, T, MLP_RATIO * N_EMBD]
		return project(layer.gate ? hidden.mul(project(x, layer.gate)) : hidden, layer.mlpProj);
	}

	return { logits, groups };
}

/** How far attention of a layer looks back, in tokens; 0 for all the way. */
function windowOf(layer: number): number {
	const isShort = layer < DEPTH - 1 && WINDOW_PATTERN[layer % WINDOW_PATTERN.length] === "S";
	return isShort ? Math.floor(MAX_SEQ_LEN / 2) : 0;
}

function project(x: nn.Tensor, weight: nn.Tensor): nn.Tensor {
	return nn.linear(x, weight, { bf16: BF16 });
}

function rotate(x: nn.Tensor): nn.Tensor {
	const rotated = nn.rotary(x, { base: ROPE_BASE });
	return QK_NORM ? nn.rmsNorm(rotated) : rotated;
}

function postNorm(x: nn.Tensor): nn.Tensor {
	return NORM === "pre+post" ? nn.rmsNorm(x) : x;
}

function activate(x: nn.Tensor): nn.Tensor {
	const relu2 = (x: nn.Tensor) => nn.square(nn.relu(x));
	return { relu2, gelu: nn.gelu, silu: nn.silu, tanh: nn.tanh }[ACTIVATION](x);
}

// ---------------------------------------------------------------------------------------------------------------------
// Optimizer

/** What the schedule feeds to each step, as inputs of the compiled program. */
interface Fed {
	/** Multiplies every learning rate. */
	lr: nn.Tensor;
	momentum: nn.Tensor;
	decay: nn.Tensor;
}

/** One step for every weight; `gradients[i]` belongs to `weights[i]`. */
function optimize(groups: GPT["groups"], weights: nn.Parameter[], gradients: nn.Tensor[], fed: Fed): nn.Update[] {
	const { lr, momentum, decay: weightDecay } = fed;
	const of = (group: Group) => {
		const members = [...weights.keys()].filter((i) => groups.get(weights[i]!) === group);
		return [members.map((i) => weights[i]!), members.map((i) => gradients[i]!)] as const;
	};
	const adam = { beta1: ADAM_BETA1, beta2: ADAM_BETA2, eps: 1e-10 };
	const widthScale = Math.sqrt(768 / N_EMBD);
	return [
		...nn.muon(...of("matrix"), { lr: lr.mul(MATRIX_LR), momentum, weightDecay, beta2: MUON_BETA2, bf16: BF16 }),
		...nn.adamw(...of("embedding"), { lr: lr.mul(EMBEDDING_LR * widthScale), ...adam }),
		...nn.adamw(...of("unembedding"), { lr: lr.mul(UNEMBEDDING_LR * widthScale), ...adam }),
		...nn.adamw(...of("scalar"), { lr: lr.mul(SCALAR_LR), ...adam }),
	];
}

/** What each step feeds, by the share of the budget that has passed. */
function schedule(progress: number) {
	const warmup = WARMUP_RATIO === 0 ? 1 : Math.min(1, progress / WARMUP_RATIO);
	const warmdown = WARMDOWN_RATIO === 0 ? 1 : Math.min(1, (1 - progress) / WARMDOWN_RATIO);
	const rise = MUON_MOMENTUM_WARMUP_RATIO === 0 ? 1 : Math.min(1, progress / MUON_MOMENTUM_WARMUP_RATIO);
	return {
		lr: warmup * (FINAL_LR_FRAC + (1 - FINAL_LR_FRAC) * warmdown),
		momentum: MUON_MOMENTUM_START + (MUON_MOMENTUM - MUON_MOMENTUM_START) * rise,
		decay: WEIGHT_DECAY * (1 - progress),
	};
}

// ---------------------------------------------------------------------------------------------------------------------
// Loop

export function train(model: GPT, batches: Iterable<Batch>, report: (step: StepReport) => void): void {
	const tokens = nn.input("tokens", [DEVICE_BATCH_SIZE, MAX_SEQ_LEN], "i32");
	const targets = nn.input("targets", [DEVICE_BATCH_SIZE, MAX_SEQ_LEN], "i32");
	const fed: Fed = { lr: nn.scalar("lr"), momentum: nn.scalar("momentum"), decay: nn.scalar("decay") };
	const loss = nn.crossEntropy(model.logits(tokens), targets);
	const weights = nn.parameters(loss);
	const forgotten = weights.find((weight) => !model.groups.has(weight));
	if (forgotten) throw new Error(`no optimizer steps ${forgotten.name}: make it with parameter(group, name, initial)`);
	const gradients = nn.grad(loss, weights);

	if (GRAD_ACCUM_STEPS === 1) {
		const step = nn.compile({ loss }, optimize(model.groups, weights, gradients, fed));
		for (const { tokens, targets, progress } of batches) {
			const now = schedule(progress);
			const { loss } = step.run({ tokens, targets, ...now });
			report({ loss: checked(loss.item()), lrMultiplier: now.lr });
		}
		return;
	}

	// PyTorch accumulates gradients by calling backward() several times before step(). A compiled program is one static
	// graph that always does all of its work, so accumulating takes two: one adds a batch's gradients to `sums`, the
	// other steps on their mean and clears them.
	const sums = weights.map(({ name, shape }) => nn.buffer(`sum.${name}`, nn.zeros(shape)));
	const losses = nn.buffer("sum.loss", nn.zeros(loss.shape));
	const add = nn.compile({}, [
		...sums.map((sum, i) => nn.assign(sum, sum.add(gradients[i]!))),
		nn.assign(losses, losses.add(loss)),
	]);
	const means = sums.map((sum) => sum.div(GRAD_ACCUM_STEPS));
	const step = nn.compile({ loss: losses.div(GRAD_ACCUM_STEPS) }, [
		...optimize(model.groups, weights, means, fed),
		...[...sums, losses].map((sum) => nn.assign(sum, nn.zeros(sum.shape))),
	]);
	let count = 0;
	for (const { tokens, targets, progress } of batches) {
		add.run({ tokens, targets });
		if (++count % GRAD_ACCUM_STEPS !== 0) continue;
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
