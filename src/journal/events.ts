/**
 * Everything that can happen in a run, as plain data. These types and the state folded from them (state.ts) explain the
 * program: the journal holds `JournalEvent`s, one JSON object a line; `Tick`s are high-rate facts that reach the screen
 * and are then forgotten.
 */
import type { Metric } from "./metric.ts";
import type { Usage } from "./usage.ts";

/** What a researcher is asked for; plans change when the wins stop coming (researcher/plateau.ts). */
export type Mode =
	/** Anything goes. */
	| "open"
	/** Something of another kind than what was tried of late. */
	| "other-family"
	/** Two or more near misses at once. */
	| "combine"
	/** A bolder, structural change. */
	| "bold"
	/** Drafted from another experiment than the best: an earlier keep or a promising discard. */
	| "restart";

/** How an experiment ended: the branch moved to it, stayed where it was, or there is no measurement. */
export type Status = "keep" | "discard" | "crash";

/** What the researcher changed, when it can name it: `MATRIX_LR` from `0.02` to `0.03`. Source text, not values. */
export interface Change {
	name: string;
	from: string;
	to: string;
}

/** Seconds spent in each phase of one experiment, by the console's own clock. */
export interface PhaseSeconds {
	propose: number;
	preflight: number;
	/** From the spawn of the trainer to the first batch it was handed. */
	startup: number;
	/** From the first batch to the last: what the budget limits. */
	train: number;
	evaluate: number;
}

/** Facts the trainer prints about itself. Shown, never believed. */
export interface TrainingSummary {
	/** Optimizer steps. */
	steps?: number;
	/** Millions of tokens trained on. */
	tokensM?: number;
	/** Millions of parameters. */
	paramsM?: number;
	/** Loss of the last progress line, in nats a token. */
	trainLoss?: number;
	gpu?: GpuUse;
}

/** What the driver measured of the GPU while an experiment trained; absent is what it does not tell. */
export interface GpuUse {
	/** Mean share of the time in which a kernel ran, from 0 to 1: the rest the GPU idled. */
	meanLoad?: number;
	peakMemoryMb?: number;
	/** Degrees Celsius. */
	peakTemperature?: number;
	meanWatts?: number;
	/** Seconds it was watched. */
	seconds: number;
}

/** What a run is from its start on. */
export interface RunFacts {
	tag: string;
	/** `autoresearch/<tag>`: the kept commits. */
	branch: string;
	/** The commit the user started from; experiment 1, the baseline, measures it. */
	base: string;
	/** Absolute path of the lab. */
	lab: string;
	metric: Metric;
	/** Seconds of training for each experiment. */
	budgetSeconds: number;
	researcher: string;
	/** The language model behind the researcher, when there is one. */
	model?: string;
	seed: number;
	/** The device it trains on, as `--device` names it. */
	device: string;
}

/** What each type of event holds besides its number and its time. */
export interface Bodies {
	/** The first event of every journal. */
	"run.started": RunFacts;
	/** The same tag was started again after a stop, a crash or a kill. */
	"run.continued": Pick<RunFacts, "budgetSeconds" | "researcher" | "model" | "seed" | "device">;
	/** A human paused the run: it waits once the experiment in flight is decided or set aside (`experiment.requeued`). */
	"run.paused": { by: "human" };
	/** A human ended the pause; an experiment that was set aside is trained again. */
	"run.resumed": { by: "human" };
	/** A human asked the run to end once experiment `n` is decided; without `n` the run goes on after all. */
	"run.stop-after": { n?: number };
	/** The run has ended, by hand or at a limit: nothing follows but `run.continued`. */
	"run.stopped": { reason: string };
	/** Approve mode was switched: when on, each committed proposal waits for a human's yes before it is trained. */
	"run.approval": { on: boolean };
	/** A new content of program.md steers from here on; the text is kept under program/<version>.md. */
	"program.changed": { version: string; lines: number };
	/** Experiment `n` begins: its researcher is asked for a proposal. Emitted again when it is asked again. */
	"experiment.started": {
		n: number;
		/** The commit it will stand on: the branch's. */
		parent: string;
		/** The commit whose files it is drafted from, when that is another: a restart from elsewhere. */
		basis?: string;
		/** Version of program.md that the researcher is given. */
		program: string;
		researcher: string;
		/** What kind of change is asked for. */
		mode?: Mode;
	};
	/** A researcher answered with a change, or with the repair of one that crashed. */
	"experiment.proposed": {
		n: number;
		title: string;
		hypothesis: string;
		changes: Change[];
		/** From the question to the answer. */
		seconds: number;
		/** What its author expects to gain, in the metric; positive is better. */
		expectedGain?: number;
		/** Who made it, when that was a stand-in. */
		researcher?: string;
		/** The version of program.md a repair was written under, when that is another than the experiment began with. */
		program?: string;
		/** All that was spent on it: only in journals from before `experiment.spent`. */
		usage?: Usage;
	};
	/**
	 * A request for experiment n was answered: a proposal, a repair, or a draft made before n has begun, which may be
	 * dropped. Recorded at once, so that a kill loses none of it.
	 */
	"experiment.spent": { n: number; usage: Usage };
	/** The proposal is a commit, kept under a ref of its own; `added` and `removed` count lines. */
	"experiment.committed": { n: number; commit: string; added: number; removed: number };
	/** Training ended well: the model waits for its evaluation. */
	"experiment.trained": {
		n: number;
		seconds: Pick<PhaseSeconds, "preflight" | "startup" | "train">;
		memoryGb: number;
		summary: TrainingSummary;
	};
	/** The evaluation gave the metric's value; `seconds` is how long it took. */
	"experiment.measured": { n: number; value: number; seconds: number };
	/** The gate, a crash or a human decided: the row is final, and branch, note and results.tsv follow. */
	"experiment.decided": { n: number; status: Status; reason: string; seconds: Partial<PhaseSeconds> };
	/** A human took back a kept experiment; the branch moved to its parent. */
	"experiment.reverted": { n: number; reason: string };
	/** Approve mode: its proposal waited this long for a human's answer, or for what ended the wait. */
	"experiment.waited": { n: number; seconds: number };
	/**
	 * The run in flight was set aside unfinished; it is trained again from its start, since a paused clock would not be
	 * fair.
	 */
	"experiment.requeued": { n: number; reason: string };
	/** A human put the branch on this experiment: kept by hand, or made the base of what follows. */
	"experiment.adopted": { n: number; reason: string };
	/** A human's one-line note to the researcher, for its next briefs. */
	"note.added": { text: string };
	/** The first `count` notes that were not heard yet, all without a count, were part of the brief of experiment n. */
	"note.heard": { n: number; count?: number };
	/** A sentence for the human: a fault, a wait, something that was mended. */
	notice: { level: "info" | "warn" | "error"; text: string };
}

export type EventType = keyof Bodies;

/** One line of journal.jsonl: format version, sequence number from 1, ISO time, then the body. */
export type JournalEvent = { [T in EventType]: { v: 1; seq: number; at: string; type: T } & Bodies[T] }[EventType];

/** An event before the journal has numbered it. */
export type NewEvent = { [T in EventType]: { type: T } & Bodies[T] }[EventType];

/** What the loop is doing. */
export type Phase =
	| "starting"
	| "proposing"
	| "preflight"
	| "training"
	| "evaluating"
	| "deciding"
	/** Approve mode: the committed proposal is on the screen and waits for yes or no. */
	| "approving"
	| "paused"
	| "waiting"
	| "stopped";

/** Facts too frequent for the journal. */
export type Tick =
	/** What the loop does now, for the experiment it does it for. */
	| {
			type: "tick.phase";
			phase: Phase;
			n: number;
			/** Why, when there is something to say: "the API answered 529; trying again". */
			note?: string;
			/** Epoch ms at which a wait ends. */
			until?: number;
	  }
	/** The proposal as far as it is known: streamed by a model, whole at once from the search. */
	| {
			type: "tick.draft";
			n: number;
			title?: string;
			hypothesis?: string;
			diff?: string;
			text?: string;
			/** It is the next one, drafted while another trains. */
			ahead?: boolean;
	  }
	/** A progress line of the trainer. */
	| { type: "tick.training"; n: number; progress: TrainingProgress }
	/** The loss of the best run, [seconds of the budget used, loss], read back from its log. */
	| { type: "tick.best-curve"; curve: [number, number][] }
	/** A human has ended the run; run.stopped follows when its processes are gone. */
	| { type: "tick.stopping" }
	/** program.md cannot be used as it is, and why ("program.md is gone"); without a problem: it can again. */
	| { type: "tick.program"; problem?: string };

/** One progress line of the trainer, with what the driver reports of the GPU. Shown, never believed. */
export interface TrainingProgress {
	step: number;
	/** Training loss of the last step, nats per token. */
	loss: number;
	/** What the schedule multiplies every learning rate by. */
	lrMultiplier: number;
	/** Milliseconds of the last step. */
	stepMs: number;
	tokensPerSecond: number;
	/** How often the training split has been begun, from 1. */
	epoch: number;
	/** Seconds of the budget used and left. */
	elapsed: number;
	remaining: number;
	memoryMb?: number;
	/** Share of the device in use, from 0 to 1. */
	load?: number;
	/** Of the device: degrees Celsius. */
	temperature?: number;
	watts?: number;
}
