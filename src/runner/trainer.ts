/**
 * Trains and measures one experiment with the programs the lab names: the built-in trainer and metric, or commands of
 * the lab's own. Both are processes apart; what comes back is numbers or the reason there are none.
 */
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PhaseSeconds, TrainingProgress, TrainingSummary } from "../journal/events.ts";
import type { ExperimentDir } from "../journal/run-dir.ts";
import type { Lab } from "../lab/lab.ts";
import { type ProcessResult, runProcess } from "../subprocess/run-process.ts";
import { crashReason } from "./crash-reason.ts";
import { CUDA_ORDER, deviceEnvironment } from "./cuda.ts";
import { parseProgress, parseSummary } from "./progress.ts";
import { Telemetry } from "./telemetry.ts";

export interface TrainerOptions {
	lab: Lab;
	budgetSeconds: number;
	seed: number;
	threads: number;
	device: string;
}

export interface Trained {
	seconds: Pick<PhaseSeconds, "startup" | "train">;
	memoryGb: number;
	summary: TrainingSummary;
}

export interface Measured {
	value: number;
	seconds: number;
}

/** An experiment that cannot be measured, and why, in a sentence. */
export interface Crashed {
	crash: string;
}

/** Start-up is outside the budget: a very short budget must not end a trainer that is still starting. */
const LEAST_TIMEOUT_SECONDS = 20;
/** How long evaluating may take: generous, since it trains nothing. */
const EVALUATE_TIMEOUT_SECONDS = 1800;

export class Trainer {
	readonly #options: TrainerOptions;

	constructor(options: TrainerOptions) {
		this.#options = options;
	}

	/**
	 * Trains the files of `labDir` for the budget; logs and the trained model go to `out`.
	 * @throws the signal's reason when it is aborted.
	 */
	async train(
		labDir: string,
		out: ExperimentDir,
		signal: AbortSignal,
		onProgress: (p: TrainingProgress) => void,
	): Promise<Trained | Crashed> {
		const { lab, budgetSeconds, device } = this.#options;
		const timeoutSeconds = trainingTimeout(lab, budgetSeconds);
		const lines: string[] = [];
		let firstStep: number | undefined;
		let trainLoss: number | undefined;
		// A lab's own command that chooses its device most likely takes the first GPU it sees.
		const telemetry = new Telemetry(device === "auto" ? "cuda" : device);
		const started = performance.now();
		const result = await this.#run(
			lab.train === "built-in" ? trainArguments(this.#options, labDir, out) : lab.train,
			labDir,
			out,
			out.log,
			timeoutSeconds,
			signal,
			(line) => {
				const progress = parseProgress(line, budgetSeconds);
				if (progress) {
					firstStep ??= Math.round(performance.now() - started) / 1000;
					trainLoss = progress.loss;
					onProgress({ ...progress, ...telemetry.latest });
				} else keepTail(lines, line);
			},
		).finally(() => telemetry.stop());
		if (result.code !== 0 || result.timedOut) return { crash: crashReason(result, timeoutSeconds) };
		const summary = parseSummary(lines);
		const startup = lab.train === "built-in" ? ownClock(out).startupSeconds : (firstStep ?? 0);
		const train = lab.train === "built-in" ? ownClock(out).trainSeconds : wholeMilliseconds(result.seconds - startup);
		return {
			seconds: { startup, train },
			memoryGb: (summary.peak_vram_mb ?? 0) / 1024,
			summary: {
				steps: summary.num_steps,
				tokensM: summary.total_tokens_M,
				paramsM: summary.num_params_M,
				trainLoss,
				gpu: telemetry.use,
			},
		};
	}

	/**
	 * Measures what `train` left in `out`.
	 * @throws the signal's reason when it is aborted.
	 */
	async evaluate(labDir: string, out: ExperimentDir, signal: AbortSignal): Promise<Measured | Crashed> {
		const { metric, evaluate } = this.#options.lab;
		const lines: string[] = [];
		const result = await this.#run(
			evaluate === "built-in" ? evaluateArguments(this.#options, out.model, "val", out.path) : evaluate,
			labDir,
			out,
			out.evaluationLog,
			EVALUATE_TIMEOUT_SECONDS,
			signal,
			(line) => keepTail(lines, line),
		);
		if (result.code !== 0 || result.timedOut)
			return { crash: `evaluation: ${crashReason(result, EVALUATE_TIMEOUT_SECONDS)}` };
		const value = parseSummary(lines)[metric.name];
		if (value === undefined) return { crash: `evaluation printed no "${metric.name}:" line after "---"` };
		if (!Number.isFinite(value)) return { crash: `evaluation gave ${metric.name} = ${value}` };
		return { value, seconds: result.seconds };
	}

	/** @param program a command line of our own, or a command of the lab's. */
	async #run(
		program: string[] | { command: string[] },
		labDir: string,
		out: ExperimentDir,
		logPath: string,
		timeoutSeconds: number,
		signal: AbortSignal,
		onLine: (line: string) => void,
	): Promise<ProcessResult> {
		out.make();
		const { budgetSeconds, seed, threads, device } = this.#options;
		const isOwn = Array.isArray(program);
		const result = await runProcess({
			command: isOwn ? program : program.command,
			cwd: labDir,
			env: {
				CUDA_DEVICE_ORDER: CUDA_ORDER,
				...withoutSecrets(process.env),
				AUTORESEARCH_BUDGET: String(budgetSeconds),
				AUTORESEARCH_SEED: String(seed),
				AUTORESEARCH_THREADS: String(threads),
				...(isOwn ? {} : deviceEnvironment(device)),
				AUTORESEARCH_OUT: out.path,
			},
			// The built-in trainer ends with this process by its input; a command that asks a question must not wait.
			...(!isOwn && { input: "" }),
			logPath,
			pidPath: out.pid,
			timeoutSeconds,
			signal,
			onLine,
		});
		if (result.aborted) throw signal.reason;
		return result;
	}
}

/** When a trainer is ended whatever it does. */
export function trainingTimeout(lab: Lab, budgetSeconds: number): number {
	return lab.timeout ?? Math.max(2 * budgetSeconds, LEAST_TIMEOUT_SECONDS);
}

/** The built-in trainer on the training file of `labDir`. */
export function trainArguments(options: TrainerOptions, labDir: string, out: ExperimentDir): string[] {
	const file = join(labDir, options.lab.edit[0]!);
	return [
		...ownProgram("train-main"),
		"--file",
		file,
		"--budget",
		String(options.budgetSeconds),
		...sharedArguments(options, out.path),
	];
}

/** The built-in metric on a trained model. */
export function evaluateArguments(
	options: TrainerOptions,
	model: string,
	split: "val" | "test",
	out: string,
): string[] {
	return [...ownProgram("evaluate"), "--model", model, "--split", split, ...sharedArguments(options, out)];
}

function sharedArguments({ lab, seed, threads, device }: TrainerOptions, out: string): string[] {
	const data = ["--source", lab.data.source, "--vocab", String(lab.data.vocabulary)];
	return [...data, "--seed", String(seed), "--threads", String(threads), "--device", device, "--out", out];
}

/** A program of trainer/harness/, run by this very Node: from source in development, compiled when shipped. */
function ownProgram(name: "train-main" | "evaluate"): string[] {
	return [
		process.execPath,
		fileURLToPath(new URL(`../../trainer/harness/${name}${extname(import.meta.filename)}`, import.meta.url)),
	];
}

/** What the harness's clock measured, in whole milliseconds as the other phases are. */
function ownClock(out: ExperimentDir): { startupSeconds: number; trainSeconds: number } {
	const { startupSeconds, trainSeconds } = JSON.parse(readFileSync(out.training, "utf8"));
	return { startupSeconds: wholeMilliseconds(startupSeconds), trainSeconds: wholeMilliseconds(trainSeconds) };
}

function wholeMilliseconds(seconds: number): number {
	return Math.round(seconds * 1000) / 1000;
}

const SUMMARY_LINES = 200;

function keepTail(lines: string[], line: string): void {
	lines.push(line);
	if (lines.length > SUMMARY_LINES) lines.splice(0, SUMMARY_LINES / 2);
}

/**
 * Words of a variable's name that say it holds a credential: OPENAI_API_KEY, GH_PAT, but not TOKENIZERS_PARALLELISM.
 */
const CREDENTIAL =
	/(^|_)((api|access|auth)?(key|token)|secret|pass|passphrase|pat|credential)s?(_|$)|passw(or)?d|_pwd$/i;
/** A URL with a user's name or password in it: a database, a proxy, a package index. */
const URL_WITH_USER = /:\/\/[^/\s]+@/;

/** The environment of a training run, without the credentials of the researcher and of the human. */
export function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	return Object.fromEntries(
		Object.entries(env).filter(
			([name, value = ""]) =>
				!CREDENTIAL.test(name) && !/^ANTHROPIC_|^SSH_AUTH_SOCK$/i.test(name) && !URL_WITH_USER.test(value),
		),
	);
}
