/** The state of the screen itself: which view, what is selected, what is being asked or typed. */
import type { Experiment } from "../journal/state.ts";
import type { Ask } from "./asks.ts";
import type { View } from "./keys.ts";
import type { Query } from "./selectors.ts";
import type { Tone } from "./theme.ts";

export interface Prompt {
	kind: "search" | "note";
	text: string;
	/** What the search was before, for Esc. */
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
	/** Where Esc goes back to, the last one first. */
	trail: readonly View[];
	query: Query;
	/** The experiment selected in the table or open; absent: the row on top, whichever that is. */
	selected?: number;
	/** Index of the first row on the screen. */
	top: number;
	ask?: Ask & { cursor: number };
	prompt?: Prompt;
	message?: StatusMessage;
	/** Why the engine could not go on. */
	failure?: string;
}

export const INITIAL: Ui = {
	view: "overview",
	trail: [],
	query: { filter: "all", sort: "newest", search: "" },
	top: 0,
};

export function narrowed({ query }: Ui): boolean {
	return query.filter !== "all" || query.search !== "";
}

/** How long an answer stands before the last notice takes its place again. */
const MESSAGE_MS = 10_000;

/** The answer to the last key, while it is fresh. */
export function freshMessage({ message }: Ui, now: number): StatusMessage | undefined {
	return message && now - message.at < MESSAGE_MS ? message : undefined;
}

/** Index of the selected row, 0 when it is not among them. */
export function selectedIndex(ui: Ui, rows: readonly Experiment[]): number {
	return ui.selected === undefined
		? 0
		: Math.max(
				0,
				rows.findIndex(({ n }) => n === ui.selected),
			);
}

/** A value that can be watched. */
export class Store<T> {
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
