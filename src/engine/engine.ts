/**
 * The one interface between a running loop and whoever watches it. The console draws `state` and sends `command`s; it
 * knows nothing else of the loop, so the loop can move to a process of its own behind this same interface.
 */
import type { State } from "../loop/state.ts";

export type Command =
	/** Pause after the experiment in flight, or go on. */
	| { type: "pause" }
	| { type: "resume" }
	/** End the experiment in flight; it becomes a discarded row. */
	| { type: "skip" }
	/** Take back the last kept experiment: the branch returns to its parent. An experiment in flight on top of it is skipped. */
	| { type: "revert" }
	/** End the run in an orderly way: the trainer is ended, the experiment in flight carries on at the next start. */
	| { type: "stop" };

export interface Engine {
	readonly state: State;
	/** Calls back after every change of state; returns the way to unsubscribe. */
	subscribe(listener: (state: State) => void): () => void;
	/** Resolves to a one-line answer for the human, e.g. "pausing after experiment 7". */
	command(command: Command): Promise<string>;
	/** Settles when the run has ended; rejects if it could not go on. */
	readonly finished: Promise<void>;
}
