/**
 * One training run as the harness sees it: hands out batches by its clock, counts what it hands out, prints progress,
 * and ends the sandboxed process when it has finished, failed, or overrun.
 */
import { mkdirSync, rmSync } from "node:fs";
import { totalmem } from "node:os";
import { basename, join } from "node:path";
import { batches, type PackedBatch } from "../../prepare/batches.ts";
import { EVAL_BATCH_ROWS, SEQUENCE_LENGTH } from "../../prepare/constants.ts";
import type { Dataset } from "../../prepare/dataset.ts";
import type { DeviceOptions } from "../tensor/index.ts";
import { RunClock } from "./clock.ts";
import { Crash } from "./crash.ts";
import type { TrainOptions } from "./options.ts";
import { progressLine, SmoothedLoss } from "./output.ts";
import { encodeBatch, endOfBatches, type Message, stampBatch } from "./protocol.ts";
import { SandboxedProcess } from "./sandboxed-process.ts";

export interface TrainingResult {
	/** Seconds from the first batch until train() returned: the budget, and the rest of the last step. */
	trainSeconds: number;
	/** Seconds from the spawn to the first batch. */
	startupSeconds: number;
	totalSeconds: number;
	/** Optimizer steps, as train.ts reported them. */
	steps: number;
	/** Tokens handed out. */
	tokens: number;
	parameters: number;
	peakMemoryMb: number;
	/** How often the training split was begun. */
	epochs: number;
	/** Smoothed training loss, nats a token, as train.ts reported it; absent when it reported none. */
	finalLoss?: number;
}

/** Fast fail, as in karpathy/autoresearch: a loss beyond this is never coming back. */
const EXPLODED = 100;
/** Most tokens in a batch; more can only be a mistake. */
const MOST_TOKENS = 2 ** 24;
const WATCH_MS = 100;
/** At most ten progress lines a second. */
const PRINT_SECONDS = 0.1;

export class TrainingRun {
	/** Rejects with a `Crash` when the run fails; the process is gone either way. */
	readonly result: Promise<TrainingResult>;
	readonly #options: TrainOptions;
	readonly #dataset: Dataset;
	readonly #print: (text: string) => void;
	readonly #clock: RunClock;
	readonly #process: SandboxedProcess;
	readonly #onGpu: boolean;
	readonly #watch: NodeJS.Timeout;
	readonly #smoothed = new SmoothedLoss();
	#failure?: Crash;
	#saved = false;
	#parameters = 0;
	#rows = 0;
	#length = 0;
	#batches?: Generator<PackedBatch>;
	#next?: { frame: Buffer; epoch: number };
	#batchesSent = 0;
	#tokens = 0;
	#epoch = 0;
	#steps = 0;
	#loss?: number;
	#lastStep = { at: 0, tokens: 0, printedAt: -1 };

	constructor(options: TrainOptions, dataset: Dataset, device: DeviceOptions, print: (text: string) => void) {
		this.#options = options;
		this.#dataset = dataset;
		this.#print = print;
		const { file, out, seed, budget, startupLimit, grace } = options;
		this.#onGpu = device.device !== "cpu";
		const model = join(out, "model");
		rmSync(model, { recursive: true, force: true });
		mkdirSync(model, { recursive: true });
		this.#clock = new RunClock({ budget, startup: startupLimit, grace });
		const shape = { "eval-rows": EVAL_BATCH_ROWS, "eval-length": SEQUENCE_LENGTH };
		this.#process = new SandboxedProcess({
			file,
			model,
			log: join(out, "output.log"),
			args: { ...device, seed, vocab: dataset.vocabSize, ...shape, harness: process.pid },
			onMessage: (message) => this.#onMessage(message),
		});
		this.#watch = setInterval(() => this.#checkLimits(), WATCH_MS);
		this.result = this.#process.ended.then((exit) => {
			clearInterval(this.#watch);
			if (this.#steps > 0) this.#print("\n");
			if (this.#failure) throw this.#failure;
			if (!this.#saved) throw new Crash(this.#process.exitReason(exit));
			return this.#summary();
		});
	}

	/** Ends the run at once. */
	kill(): void {
		this.#process.kill();
	}

	#fail(reason: string): void {
		this.#failure ??= new Crash(reason);
		this.#process.kill();
	}

	#checkLimits(): void {
		this.#process.measureMemory();
		const { memoryLimitMb = (0.9 * machineMemory()) / 2 ** 20 } = this.#options;
		const { residentMb } = this.#process;
		if (residentMb > memoryLimitMb)
			this.#fail(
				`out of memory: the run used ${Math.round(residentMb)} MB, the limit is ${Math.round(memoryLimitMb)} MB`,
			);
		const { seconds, reason } = this.#clock.deadline;
		if (seconds <= 0) this.#fail(reason);
	}

	#onMessage(message: Message): void {
		try {
			this.#handle(message);
		} catch (error) {
			if (!(error instanceof Crash)) throw error;
			this.#fail(error.message);
		}
	}

	#handle(message: Message): void {
		switch (message.type) {
			case "ready":
				this.#start(message);
				break;
			case "next":
				this.#sendBatch();
				break;
			case "step":
				this.#step(Number(message.loss), message.lrMultiplier);
				break;
			case "trained":
				this.#clock.returned();
				break;
			case "saved":
				this.#saved = true;
				// Memory used during shutdown is not counted.
				clearInterval(this.#watch);
				this.#process.measureMemory();
				if (this.#onGpu) this.#process.peakMb = message.peakMb;
				else this.#process.peakMb ||= message.peakMb;
				this.#process.kill();
				break;
			case "crash":
				throw new Crash(message.reason);
		}
	}

	#start({ rows, length, parameters }: { rows: number; length: number; parameters: number }): void {
		const { file, budget, seed } = this.#options;
		if (!(rows >= 1 && length >= 1 && rows * length <= MOST_TOKENS))
			throw new Crash(
				`${basename(file)} asks for batches of ${rows} x ${length} tokens; 1 to ${MOST_TOKENS} tokens are possible`,
			);
		this.#rows = rows;
		this.#length = length;
		this.#parameters = parameters;
		this.#batches = batches(this.#dataset, "train", { rows, length, seed });
		this.#prepareNext();
		this.#print(
			`training ${(parameters / 1e6).toFixed(1)}M parameters for ${budget} s, ${rows} x ${length} tokens a batch\n`,
		);
	}

	/** Packs one batch ahead, so that train() waits for the pipe only. */
	#prepareNext(): void {
		const batch: PackedBatch = this.#batches!.next().value;
		this.#next = { frame: encodeBatch(batch, this.#rows), epoch: batch.epoch };
	}

	#sendBatch(): void {
		if (!this.#next) throw new Crash("a batch was asked for before the model was built");
		const progress = this.#clock.ask();
		if (progress === undefined) {
			this.#process.send(endOfBatches);
			return;
		}
		const { frame, epoch } = this.#next;
		this.#process.send(stampBatch(frame, this.#batchesSent++, progress));
		this.#tokens += this.#rows * this.#length;
		this.#epoch = epoch;
		this.#prepareNext();
	}

	#step(loss: number, lrMultiplier: number): void {
		if (!Number.isFinite(loss)) throw new Crash(`the loss is ${loss} at step ${this.#steps}`);
		if (loss > EXPLODED) throw new Crash(`the loss exploded: ${loss.toFixed(1)} at step ${this.#steps}`);
		const step = this.#steps++;
		this.#loss = this.#smoothed.add(loss);
		const { trained: at, remaining } = this.#clock;
		const stepSeconds = at - this.#lastStep.at;
		const tokensPerSecond = (this.#tokens - this.#lastStep.tokens) / stepSeconds;
		const print = at - this.#lastStep.printedAt >= PRINT_SECONDS;
		this.#lastStep = { at, tokens: this.#tokens, printedAt: print ? at : this.#lastStep.printedAt };
		if (!print) return;
		const { budget } = this.#options;
		const pace = { lrMultiplier, stepSeconds, tokensPerSecond };
		this.#print(progressLine({ step, loss: this.#loss, ...pace, epoch: this.#epoch, remaining, budget }));
	}

	#summary(): TrainingResult {
		return {
			trainSeconds: this.#clock.trained,
			startupSeconds: this.#clock.startup,
			totalSeconds: this.#clock.total,
			steps: this.#steps,
			tokens: this.#tokens,
			parameters: this.#parameters,
			peakMemoryMb: this.#process.peakMb,
			epochs: this.#epoch,
			...(this.#loss !== undefined && { finalLoss: this.#loss }),
		};
	}
}

/** Bytes this machine, or the container we are in, has. */
function machineMemory(): number {
	return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}
