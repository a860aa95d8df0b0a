/** A run on a made-up objective: a researcher edits a training file, and a formula takes the place of training. */
import type { Experiment } from "../../../src/journal/state.ts";
import type { Brief, Proposal } from "../../../src/researcher/researcher.ts";
import { readConstants, type Value } from "../../../src/researcher/search/constants.ts";

export const TRAIN = `/** A small GPT. */
import { tensor } from "./tensor/index.ts";

type Window = "L" | "SL" | "SSL";

// Model
const DEPTH = 4; // layers, 1..12
const N_EMBD = 256; // multiple of HEAD_DIM, 64..1024
const HEAD_DIM = 64; // one of 32, 64, 128
const ACTIVATION: "relu2" | "gelu" | "silu" = "gelu";
const WINDOW_PATTERN: Window = "L"; // pattern of attention windows
const QK_NORM = false;
const LOGIT_SOFTCAP = 30.0; // 5..100

// Optimizer
const MATRIX_LR = 0.005; // 0.0005..0.2
const EMBEDDING_LR = 0.6; // 0.01..2
const WEIGHT_DECAY = 0.2; // 0.001..1
const BETA2 = 0.9; // 0.8..0.999
const WARMDOWN_RATIO = 0.2; // 0 to 1
const DEVICE_BATCH_SIZE = 2 ** 3; // rows a batch, power of two, 1..64
export const batch = { rows: DEVICE_BATCH_SIZE, length: 256 };
`;

export type Objective = (values: ReadonlyMap<string, Value>) => number | "crash";

/** The valley of a plausible training run, in bits per byte, with interactions, plateaus and a cliff of memory. */
export const valley: Objective = (values) => {
	const number = (name: string) => values.get(name) as number;
	const octaves = (name: string, best: number) => Math.log2(number(name) / best);
	if (number("DEPTH") * number("N_EMBD") * number("DEVICE_BATCH_SIZE") > 40_000) return "crash";
	const size = Math.log2(number("DEPTH") * number("N_EMBD") ** 2 * number("DEVICE_BATCH_SIZE"));
	const lr = octaves("MATRIX_LR", 0.03) + 0.3 * octaves("N_EMBD", 384);
	return (
		1.8 +
		0.01 * lr ** 2 +
		0.004 * octaves("EMBEDDING_LR", 0.3) ** 2 +
		0.001 * octaves("WEIGHT_DECAY", 0.05) ** 2 +
		0.003 * Math.log2((1 - number("BETA2")) / 0.03) ** 2 +
		0.05 * (number("WARMDOWN_RATIO") - 0.6) ** 2 +
		0.002 * (size - 20.5) ** 2 +
		0.002 * octaves("DEPTH", 6) ** 2 +
		0.001 * octaves("LOGIT_SOFTCAP", 15) ** 2 +
		(values.get("ACTIVATION") === "relu2" ? 0 : 0.004) +
		(values.get("WINDOW_PATTERN") === "SSL" ? 0 : values.get("WINDOW_PATTERN") === "SL" ? 0.001 : 0.003) +
		(values.get("QK_NORM") ? 0 : 0.006) +
		(number("HEAD_DIM") === 64 ? 0 : 0.002)
	);
};

export interface SimulatedRun {
	history: Experiment[];
	/** The text of the best experiment. */
	text: string;
	best: number;
	/** The text each experiment had. */
	texts: string[];
	proposals: Proposal[];
}

export interface RunOptions {
	experiments: number;
	seed: number;
	text?: string;
	program?: string;
	objective?: Objective;
	/** Standard deviation of the measurement, in the metric. */
	noise?: (n: number) => number;
}

/** Runs the loop's rules: keep what is strictly better, discard the rest. */
export function simulateRun(
	propose: (brief: Brief) => Proposal | undefined,
	{ experiments, seed, text = TRAIN, program = "", objective = valley, noise = () => 0 }: RunOptions,
): SimulatedRun {
	const baseline = record({ n: 1, parent: "c0", commit: "c0", status: "keep", title: "baseline" });
	baseline.value = measure(objective, text) as number;
	const run: SimulatedRun = { history: [baseline], text, best: 1, texts: [text], proposals: [] };
	for (let n = 2; n <= experiments; n++) {
		const best = run.history[run.best - 1]!;
		const proposal = propose({
			n,
			program: { version: "p1", text: program },
			files: [{ path: "train.ts", text: run.text }],
			metric: { name: "val_bpb", direction: "lower" },
			budgetSeconds: 300,
			history: run.history,
			best: run.best,
			seed,
		});
		if (!proposal) break;
		const edited = proposal.files[0]!.text;
		const experiment = record({ n, parent: best.commit!, commit: `c${n}`, ...proposal });
		const value = measure(objective, edited);
		if (value === "crash") {
			experiment.status = "crash";
		} else {
			experiment.value = value + noise(n);
			experiment.status = experiment.value < best.value! ? "keep" : "discard";
		}
		run.history.push(experiment);
		run.texts.push(edited);
		run.proposals.push(proposal);
		if (experiment.status === "keep") {
			run.text = edited;
			run.best = n;
		}
	}
	return run;
}

function measure(objective: Objective, text: string): number | "crash" {
	return objective(valuesOf(text));
}

export function valuesOf(text: string): Map<string, Value> {
	return new Map(readConstants("train.ts", text).map((c) => [c.name, c.value]));
}

export function record(fields: Partial<Experiment> & { n: number; parent: string }): Experiment {
	return {
		program: "p1",
		researcher: "search",
		title: "",
		hypothesis: "",
		changes: [],
		added: 1,
		removed: 1,
		seconds: {},
		startedAt: "2026-11-21T22:00:00.000Z",
		workedMs: 0,
		...fields,
	};
}
