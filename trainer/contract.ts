/**
 * The contract between train.ts and the harness, as types. The harness (harness/, in a process of its own that train.ts
 * cannot reach) owns the data and the clock; sandbox/, in the process train.ts runs in, passes batches on. train.ts
 * decides everything else: the model, the optimizer, the schedule, the batch size. It imports this file and ./tensor/,
 * which are the console's own, whatever lies beside a lab's train.ts.
 */
import type { Tensor } from "./tensor/index.ts";

/** One step's data, packed by prepare/: `rows` sequences of `length` tokens. */
export interface Batch {
	/** [rows, length], row-major token ids. Every row begins with the BOS token. */
	tokens: Int32Array;
	/** [rows, length]: targets[b, t] is the token that follows tokens[b, t]. */
	targets: Int32Array;
	/** Which batch this is, from 0. */
	index: number;
	/** How much of the budget had passed when it was handed out, from 0 to 1: what schedules depend on. */
	progress: number;
	/** How often the training split has been begun, from 1. */
	epoch: number;
}

/** What train() may report about an optimizer step. Shown in the console, never trusted. */
export interface StepReport {
	/** Mean training loss, nats a token. */
	loss: number;
	/** The learning-rate multiplier of the schedule. */
	lrMultiplier?: number;
}

export interface Model {
	/**
	 * Token ids [B, T] (i32) to logits [B, T, vocabulary]. Position t may look at tokens 0..t only; evaluation checks.
	 */
	logits(tokens: Tensor): Tensor;
}

/** What train.ts exports. */
export interface TrainingFile<M extends Model = Model> {
	/** The shape of the batches train() wants, in tokens. */
	batch: { rows: number; length: number };
	/** Creates the parameters, initialised from `seed`. */
	build(vocabSize: number, seed: number): M;
	/**
	 * Trains until `batches` ends, which is when the budget does. Synchronous. `batches` blocks until the harness hands
	 * out the next one.
	 */
	train(model: M, batches: Iterable<Batch>, report: (step: StepReport) => void): void;
}
