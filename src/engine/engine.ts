/**
 * The one interface between a running loop and whoever watches it. The console draws `state`, reads files through
 * `read` and sends `command`s; it knows nothing else of the loop, so the loop can move to a process of its own behind
 * this same interface.
 */
import type { State } from "../loop/state.ts";

export type Command =
	/** Pause after the experiment in flight, or go on. */
	| { type: "pause" }
	| { type: "resume" }
	/**
	 * Pause at once: the run in flight is ended and set aside (`experiment.requeued`), and trained afresh by `resume`. Its
	 * commit stays; nothing of the unfinished run counts. While nothing is trained it is the same as `pause`.
	 */
	| { type: "pause-now" }
	/** End the experiment in flight; it becomes a discarded row. */
	| { type: "skip" }
	/** Take back the last kept experiment: the branch returns to its parent. An experiment in flight on top of it is skipped. */
	| { type: "revert" }
	/**
	 * Keep experiment `n` although the gate did not. It must stand right on the commit the branch is on (refused
	 * otherwise, with the way out in the answer); the branch moves to it (`experiment.adopted`). An experiment in flight is
	 * skipped, since it was built on the old best.
	 */
	| { type: "keep"; n: number }
	/**
	 * Put the branch on experiment `n`, wherever that stands: the next proposals are built on it (`experiment.adopted`). No
	 * commit is lost: every one keeps its ref. An experiment in flight is skipped.
	 */
	| { type: "base"; n: number }
	/** Switch approve mode (`run.approval`): when on, each committed proposal waits (phase `approving`) before it is trained. */
	| { type: "approval"; on: boolean }
	/** The human's answer to the proposal that waits; refused when `n` is not the one waiting. No: a discarded row, untrained. */
	| { type: "approve"; n: number }
	| { type: "reject"; n: number }
	/** A one-line note for the researcher's next briefs (`note.added`; `note.heard` when a brief carried it). */
	| { type: "note"; text: string }
	/** End the run in an orderly way: the trainer is ended, the experiment in flight carries on at the next start. */
	| { type: "stop" }
	/** End the run once the experiment in flight is decided; at once when there is none. */
	| { type: "stop-after" };

export interface LogChunk {
	text: string;
	/** Byte offsets in the whole log: where `text` begins and ends. */
	from: number;
	to: number;
	/** Length of the log when it was read. */
	size: number;
}

export interface ProgramVersion {
	version: string;
	/** ISO time at which it began to steer. */
	at: string;
	text: string;
}

/** Files of a run that the state does not hold. Each rejects with a sentence for a person when there is no such thing. */
export interface Files {
	/** The unified diff of experiment `n` against its parent, with paths relative to the lab; "" for the baseline. */
	diff(n: number): Promise<string>;
	/**
	 * A part of what the trainer of experiment `n` printed, as UTF-8 cut at line ends where possible: at most `limit` bytes from byte
	 * `from` on. A negative `from` counts from the end. An empty chunk at the end of the log, or when there is none yet.
	 */
	log(n: number, from: number, limit: number): Promise<LogChunk>;
	/** Every version of program.md that has steered this run, oldest first. */
	programs(): Promise<ProgramVersion[]>;
}

export interface Engine {
	readonly state: State;
	/** Calls back after every change of state; returns the way to unsubscribe. */
	subscribe(listener: (state: State) => void): () => void;
	/** Resolves to a one-line answer for the human, e.g. "pausing after experiment 7". */
	command(command: Command): Promise<string>;
	readonly read: Files;
	/** Absolute path of the human's program.md, for $EDITOR. */
	readonly programPath: string;
	/** Settles when the run has ended; rejects if it could not go on. */
	readonly finished: Promise<void>;
}
