/**
 * How a key reaches the code that acts on it. The controller turns keys into actions (keys.ts) and offers each to the
 * view on the screen, which handles its own scrolling and searching; the controller handles the rest.
 */
import { createContext, useContext, useEffect, useEffectEvent } from "react";
import type { KeyAction } from "./keys.ts";

/** What a key stands for, or the text of a search that was entered. */
export type Action = KeyAction | { search: string };

/** Handles an action, or returns false to leave it to others. */
export type ActionHandler = (action: Action) => boolean;

export class ActionHandlers {
	readonly #handlers = new Set<ActionHandler>();

	/** Returns the function that removes the handler again. */
	add(handler: ActionHandler): () => void {
		this.#handlers.add(handler);
		return () => this.#handlers.delete(handler);
	}

	/** Offers an action to the handlers, the one added last first; false when none took it. */
	offer(action: Action): boolean {
		return [...this.#handlers].reverse().some((handler) => handler(action));
	}
}

const ActionHandlersContext = createContext(new ActionHandlers());

export const ActionHandlersProvider = ActionHandlersContext.Provider;

/** Lets a view handle actions while it is on the screen. */
export function useAction(handler: ActionHandler): void {
	const handlers = useContext(ActionHandlersContext);
	const latest = useEffectEvent(handler);
	useEffect(() => handlers.add((action) => latest(action)), [handlers]);
}
