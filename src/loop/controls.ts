/**
 * What the human has asked of the loop, held until the loop can act on it, and the means to end what it is doing now.
 */
import type { Move } from "./moves.ts";

/** Why the activity of the moment ends before its time. */
export type Cause =
	/** The experiment in flight becomes a discarded row. */
	| { kind: "discard"; reason: string }
	/** Its run is begun again later. */
	| { kind: "set-aside" }
	/** program.md changed or a note was given: the proposal being written is asked for again. */
	| { kind: "steering" }
	/** The process ends; the next start carries on. */
	| { kind: "stop" };

/** What an activity that was ended on request throws: it carries the request, so that no fault can be taken for one. */
export class Interruption extends Error {
	override name = "Interruption";
	override readonly cause: Cause;

	constructor(cause: Cause) {
		super(`interrupted (${cause.kind})`);
		this.cause = cause;
	}
}

export class Controls {
	stopping = false;
	/** Moves not made yet, oldest first: made between two experiments. */
	readonly moves: Move[] = [];
	#activity = new AbortController();
	#approval?: { n: number; answer: (yes: boolean) => void };
	#wake: () => void = () => {};

	/** Begins an activity of its own; what interrupted the last one is forgotten. */
	begin(): AbortSignal {
		this.#activity = new AbortController();
		if (this.stopping) this.#activity.abort(new Interruption({ kind: "stop" }));
		return this.#activity.signal;
	}

	/** Aborted with an Interruption when the activity of the moment is to end. */
	get signal(): AbortSignal {
		return this.#activity.signal;
	}

	/** What was asked of the activity of the moment and not acted on yet. */
	get pending(): Cause | undefined {
		const { aborted, reason } = this.signal;
		return aborted ? (reason as Interruption).cause : undefined;
	}

	/** Ends the activity of the moment, and wakes a loop that waits. */
	interrupt(cause: Cause): void {
		this.#activity.abort(new Interruption(cause));
		this.wake();
	}

	wake(): void {
		this.#wake();
	}

	/** Resolves at the next `wake`. */
	woken(): Promise<void> {
		return new Promise((resolve) => {
			this.#wake = resolve;
		});
	}

	/**
	 * Resolves to the human's answer to proposal `n`; rejects when the activity is interrupted or `end` aborted first.
	 */
	async approval(n: number, end: AbortSignal): Promise<boolean> {
		const signal = AbortSignal.any([this.signal, end]);
		try {
			return await new Promise<boolean>((answer, reject) => {
				this.#approval = { n, answer };
				signal.addEventListener("abort", () => reject(signal.reason), { once: true });
				if (signal.aborted) reject(signal.reason);
			});
		} finally {
			this.#approval = undefined;
		}
	}

	/** Answers the proposal that waits; false when `n` is not the one. */
	answer(n: number, yes: boolean): boolean {
		if (this.#approval?.n !== n) return false;
		this.#approval.answer(yes);
		return true;
	}
}
