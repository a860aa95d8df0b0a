/** What the human has asked of the loop, held until the loop can act on it, and the means to end what it is doing now. */
import type { Move } from "./moves.ts";

/** Why the activity of the moment ends before its time. */
export type Interruption =
	/** The experiment in flight becomes a discarded row. */
	| { kind: "discard"; reason: string }
	/** Its run is begun afresh later. */
	| { kind: "set-aside" }
	/** program.md changed or a note was given: the proposal being written is asked for again. */
	| { kind: "steering" }
	/** The process ends; the next start carries on. */
	| { kind: "stop" };

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
		if (this.stopping) this.#activity.abort({ kind: "stop" });
		return this.#activity.signal;
	}

	get signal(): AbortSignal {
		return this.#activity.signal;
	}

	get interruption(): Interruption | undefined {
		return this.signal.aborted ? this.signal.reason : undefined;
	}

	/** Ends the activity of the moment, and wakes a loop that waits. */
	interrupt(interruption: Interruption): void {
		this.#activity.abort(interruption);
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

	/** Resolves to the human's answer to proposal `n`; rejects when the activity is interrupted or `end` aborted first. */
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
