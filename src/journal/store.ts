/**
 * The state of a run as it grows: every event goes to the journal first, then into the state, then to the listeners.
 */
import { setTimeout } from "node:timers/promises";
import { hasCode, messageOf } from "../errors.ts";
import type { JournalEvent, NewEvent, Tick } from "./events.ts";
import { fold } from "./fold.ts";
import { Journal, readJournal } from "./journal.ts";
import { initialState, type State } from "./state.ts";

export type Listener = (state: State, event: JournalEvent | Tick) => void;

const DISK_RETRY_MS = 10_000;

export class Store {
	#state: State;
	readonly #journal: Journal;
	readonly #listeners = new Set<Listener>();

	/** Opens the journal at `path` and folds what it holds. */
	constructor(path: string) {
		const content = readJournal(path);
		this.#state = content.events.reduce<State>(fold, initialState());
		this.#journal = new Journal(path, content);
		if (content.torn > 0) {
			const text =
				`the journal's last line was torn (${content.torn} bytes) and has been dropped: ` +
				"the process died while writing it";
			this.#take(this.#journal.append({ type: "notice", level: "warn", text }));
		}
	}

	get state(): State {
		return this.#state;
	}

	subscribe(listener: Listener): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/**
	 * Records an event; resolves to the state after it. A full disk is waited out: the loop acts on nothing that is not
	 * recorded.
	 */
	async emit(event: NewEvent): Promise<State> {
		for (;;) {
			try {
				return this.#take(this.#journal.append(event));
			} catch (error) {
				if (!hasCode(error, "ENOSPC", "EDQUOT", "EIO")) throw error;
				const { n } = this.#state.live;
				const note = `cannot write the journal: ${messageOf(error)}; trying again`;
				this.tick({ type: "tick.phase", phase: "waiting", n, note, until: Date.now() + DISK_RETRY_MS });
				await setTimeout(DISK_RETRY_MS);
			}
		}
	}

	/** Shows a fact too frequent for the journal. */
	tick(tick: Tick): void {
		this.#take(tick);
	}

	close(): void {
		this.#journal.close();
	}

	#take(event: JournalEvent | Tick): State {
		const state = fold(this.#state, event);
		this.#state = state;
		for (const listener of this.#listeners) listener(state, event);
		return state;
	}
}
