/** What a human may ask of a running loop. */
import { NOTE_LIMIT } from "../researcher/researcher.ts";

export type Command =
	/** Pause after the experiment in flight, or go on. */
	| { type: "pause" }
	| { type: "resume" }
	/**
	 * Pause at once: the run in flight is ended and set aside (`experiment.requeued`), and trained again from its start
	 * by `resume`. Its commit stays; nothing of the unfinished run counts. While nothing is trained it is the same as
	 * `pause`.
	 */
	| { type: "pause-now" }
	/** End experiment `n`, which is in flight; it becomes a discarded row. Refused when another is by now. */
	| { type: "skip"; n: number }
	/**
	 * Take back experiment `n`, which the branch stands on: the branch returns to its parent. Refused when it stands on
	 * another by now. An experiment in flight on top of it is skipped.
	 */
	| { type: "revert"; n: number }
	/**
	 * Keep experiment `n` although the gate did not. It must stand right on the commit the branch is on (refused
	 * otherwise, with the way out in the answer); the branch moves to it (`experiment.adopted`). An experiment in flight
	 * is skipped, since it was built on the old base.
	 */
	| { type: "keep"; n: number }
	/**
	 * Put the branch on experiment `n`, wherever that stands: the next proposals are built on it (`experiment.adopted`).
	 * No commit is lost: every one keeps its ref. An experiment in flight is skipped.
	 */
	| { type: "base"; n: number }
	/**
	 * Switch approve mode (`run.approval`): when on, each committed proposal waits (phase `approving`) before it is
	 * trained.
	 */
	| { type: "approval"; on: boolean }
	/**
	 * The human's answer to the proposal that waits; refused when `n` is not the one waiting. No: a discarded row,
	 * untrained.
	 */
	| { type: "approve"; n: number }
	| { type: "reject"; n: number }
	/** A one-line note for the researcher's next briefs (`note.added`; `note.heard` when a brief carried it). */
	| { type: "note"; text: string }
	/** End the run in an orderly way: the trainer is ended, the experiment in flight carries on at the next start. */
	| { type: "stop" }
	/**
	 * End the run once experiment `n`, which is in flight, is decided; at once when it was set aside (`run.stop-after`).
	 */
	| { type: "stop-after"; n: number }
	/** Take a `stop-after` back. */
	| { type: "go-on" };

/** Why a note cannot be sent; undefined when it can. */
export function noteProblem(text: string): string | undefined {
	if (!text) return "an empty note says nothing";
	return text.length > NOTE_LIMIT
		? `the note has ${text.length} characters, ${NOTE_LIMIT} at most are sent`
		: undefined;
}
