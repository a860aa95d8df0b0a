/** The state of the screen itself: the view, the selection, the question or the prompt that is open. */
import type { Experiment } from "../journal/state.ts";
import type { Confirmation } from "./confirmations.ts";
import type { View } from "./keys.ts";
import type { Query } from "./selectors.ts";
import type { Tone } from "./theme.ts";

export interface Prompt {
	kind: "search" | "note";
	text: string;
	/** The search before this one, which Esc restores. */
	before: string;
}

/** The answer to the last key, on the line above the footer. */
export interface StatusMessage {
	text: string;
	tone: Tone;
	/** Epoch ms at which it appeared. */
	at: number;
}

export interface Ui {
	view: View;
	/** The views Esc goes back to, the last one first. */
	trail: readonly View[];
	query: Query;
	/** The experiment selected in the table or open; absent: the first row, as experiments come. */
	selected?: number;
	/** Index of the first row shown. */
	top: number;
	/** The question on the screen, with the index of the choice under the cursor. */
	confirmation?: Confirmation & { cursor: number };
	prompt?: Prompt;
	message?: StatusMessage;
	/** Why the engine failed. */
	failure?: string;
}

export const INITIAL: Ui = {
	view: "overview",
	trail: [],
	query: { filter: "all", sort: "newest", search: "" },
	top: 0,
};

/** Whether the table shows less than all experiments. */
export function isFiltered({ query }: Ui): boolean {
	return query.filter !== "all" || query.search !== "";
}

/** How long an answer is shown before the last notice takes its place again. */
const MESSAGE_MS = 10_000;

/** The answer to the last key, while it is to be shown. */
export function freshMessage({ message }: Ui, now: number): StatusMessage | undefined {
	return message && now - message.at < MESSAGE_MS ? message : undefined;
}

/** Index of the selected row, 0 when it is not among the rows. */
export function selectedIndex(ui: Ui, rows: readonly Experiment[]): number {
	return ui.selected === undefined
		? 0
		: Math.max(
				0,
				rows.findIndex(({ n }) => n === ui.selected),
			);
}

/** A value whose changes can be watched, in the shape of React's useSyncExternalStore. */
export class Observable<T> {
	#value: T;
	readonly #listeners = new Set<() => void>();

	constructor(value: T) {
		this.#value = value;
	}

	get = (): T => this.#value;

	set(change: Partial<T>): void {
		this.#value = { ...this.#value, ...change };
		for (const listener of this.#listeners) listener();
	}

	subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	};
}
