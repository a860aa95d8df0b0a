/**
 * How a key reaches what it is for. The app turns keys into actions (keys.ts) and offers each to the view on the screen
 * first, which takes what concerns its own scrolling, and acts on the rest itself.
 */
import { createContext, useContext, useEffect, useEffectEvent } from "react";
import type { Action } from "./keys.ts";

/** An action, or the text of a search that was typed. */
export type Deed = Action | { search: string };

/** Takes a deed, or returns false to leave it to others. */
export type Taker = (deed: Deed) => boolean;

export class Takers {
	readonly #takers = new Set<Taker>();

	add(taker: Taker): () => void {
		this.#takers.add(taker);
		return () => this.#takers.delete(taker);
	}

	/** Offers a deed to whoever came last first. */
	offer(deed: Deed): boolean {
		return [...this.#takers].reverse().some((taker) => taker(deed));
	}
}

const TakersContext = createContext(new Takers());

export const TakersProvider = TakersContext.Provider;

/** Lets a view take deeds for as long as it is on the screen. */
export function useDeeds(take: Taker): void {
	const takers = useContext(TakersContext);
	const latest = useEffectEvent(take);
	useEffect(() => takers.add((deed) => latest(deed)), [takers]);
}
