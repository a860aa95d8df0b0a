/** A proposal while it is being written, as the screen shows it. */
import type { Tick } from "../journal/events.ts";
import type { Store } from "../journal/store.ts";

/** In the background, as the next proposal, until the loop waits for it. */
export class LiveDraft {
	readonly #store: Store;
	readonly #n: number;
	readonly #note?: string;
	#wait?: { note: string; until?: number };
	#awaited = false;

	/** @param note what is being done, where that is more than proposing */
	constructor(store: Store, n: number, note?: string) {
		this.#store = store;
		this.#n = n;
		this.#note = note;
	}

	/** From here on the loop waits for this proposal: what its researcher waits for becomes the phase of the run. */
	awaited(): this {
		this.#awaited = true;
		this.#showPhase();
		return this;
	}

	waits(note: string, until?: number): void {
		this.#wait = { note, until };
		this.#showPhase();
	}

	drafts(draft: Omit<Extract<Tick, { type: "tick.draft" }>, "type" | "n" | "ahead">): void {
		if (this.#wait) {
			this.#wait = undefined;
			this.#showPhase();
		}
		this.#store.tick({ type: "tick.draft", n: this.#n, ...draft, ahead: !this.#awaited });
	}

	#showPhase(): void {
		if (!this.#awaited) return;
		const doing = this.#wait
			? { phase: "waiting" as const, ...this.#wait }
			: { phase: "proposing" as const, note: this.#note };
		this.#store.tick({ type: "tick.phase", n: this.#n, ...doing });
	}
}
