/** What a human may ask of a running loop. */
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
