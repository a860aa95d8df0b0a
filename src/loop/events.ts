/**
 * Everything that can happen in a run, as plain data. These types and the state folded from them (state.ts) explain the
 * program: the journal holds `JournalEvent`s, one JSON object a line; `Tick`s are high-rate facts that reach the screen
 * and are then forgotten.
 */

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
	steps?: number;
	tokensM?: number;
	paramsM?: number;
	mfuPercent?: number;
	trainLoss?: number;
}

export interface Bodies {
	/** The first event of every journal. */
	"run.started": {
		tag: string;
		branch: string;
		/** The commit the user started from; experiment 1, the baseline, measures it. */
		base: string;
		lab: string;
		metric: { name: string; direction: "lower" | "higher" };
		budgetSeconds: number;
		researcher: string;
		seed: number;
		device: string;
	};
	/** The same tag was started again after a stop, a crash or a kill. */
	"run.continued": { budgetSeconds: number; researcher: string; seed: number; device: string };
	"run.paused": { by: "human" };
	"run.resumed": { by: "human" };
	"run.stopped": { reason: string };
	/** A new content of program.md steers from here on; the text is kept under program/<version>.md. */
	"program.changed": { version: string; lines: number };
	"experiment.started": { n: number; parent: string; program: string; researcher: string };
	"experiment.proposed": { n: number; title: string; hypothesis: string; changes: Change[]; seconds: number };
	"experiment.committed": { n: number; commit: string; added: number; removed: number };
	"experiment.trained": {
		n: number;
		seconds: Pick<PhaseSeconds, "preflight" | "startup" | "train">;
		memoryGb: number;
		summary: TrainingSummary;
	};
	"experiment.measured": { n: number; value: number; seconds: number };
	"experiment.decided": { n: number; status: Status; reason: string; seconds: Partial<PhaseSeconds> };
	/** A human took back a kept experiment; the branch moved to its parent. */
	"experiment.reverted": { n: number; reason: string };
	notice: { level: "info" | "warn" | "error"; text: string };
}

export type EventType = keyof Bodies;

/** One line of journal.jsonl: format version, sequence number from 1, ISO time, then the body. */
export type JournalEvent = { [T in EventType]: { v: 1; seq: number; at: string; type: T } & Bodies[T] }[EventType];

/** An event before the journal has numbered it. */
export type NewEvent = { [T in EventType]: { type: T } & Bodies[T] }[EventType];

export type Phase =
	| "starting"
	| "proposing"
	| "preflight"
	| "training"
	| "evaluating"
	| "deciding"
	| "paused"
	| "waiting"
	| "stopped";

/** Facts too frequent for the journal. */
export type Tick =
	| {
			type: "tick.phase";
			phase: Phase;
			n: number /** Why, when there is something to say: "the API answered 529; trying again". */;
			note?: string /** Epoch ms at which a wait ends. */;
			until?: number;
	  }
	/** The proposal as far as it is known: streamed by a model, whole at once from the search. */
	| { type: "tick.draft"; n: number; title?: string; hypothesis?: string; diff?: string; text?: string }
	| { type: "tick.training"; n: number; progress: TrainingProgress };

export interface TrainingProgress {
	step: number;
	/** Training loss of the last step, nats per token. */
	loss: number;
	lrMultiplier: number;
	stepMs: number;
	tokensPerSecond: number;
	epoch: number;
	/** Seconds of the budget used and left. */
	elapsed: number;
	remaining: number;
	memoryMb?: number;
}
