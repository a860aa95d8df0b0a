/**
 * The one interface between a running loop and its screens. The console draws `state`, reads files through
 * `read` and sends `command`s; it knows nothing else of the loop, so the loop can move to a process of its own behind
 * this same interface.
 */

import type { State } from "../journal/state.ts";
import type { Listener } from "../journal/store.ts";
import type { Command } from "../loop/command.ts";

export type { Command };

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

/**
 * Files of a run that the state does not hold. Each rejects with a sentence for a person when there is no such thing.
 */
export interface Files {
	/** The unified diff of experiment `n` against its parent, with paths relative to the lab; "" for the baseline. */
	diff(n: number): Promise<string>;
	/**
	 * A part of what the trainer of experiment `n` printed, as UTF-8 cut at line ends where possible: at most `limit`
	 * bytes from byte `from` on. A negative `from` counts from the end. An empty chunk at the end of the log, or when
	 * there is none yet.
	 */
	log(n: number, from: number, limit: number): Promise<LogChunk>;
	/** Every version of program.md that has steered this run, oldest first. */
	programs(): Promise<ProgramVersion[]>;
}

export interface Engine {
	readonly state: State;
	/** Calls back after every change of state, with the event that made it; returns the way to unsubscribe. */
	subscribe(listener: Listener): () => void;
	/** Resolves to a one-line answer for the human, e.g. "pausing after experiment 7". */
	command(command: Command): Promise<string>;
	readonly read: Files;
	/** Absolute path of the human's program.md, whatever the lab calls it, for $EDITOR. */
	programPath(): Promise<string>;
	/** Settles when the run has ended; rejects if it could not go on. */
	readonly finished: Promise<void>;
}
