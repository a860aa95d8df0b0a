/** Waits for a state of an engine. */
import { setTimeout } from "node:timers/promises";
import type { Engine } from "../../src/engine/engine.ts";
import type { State } from "../../src/journal/state.ts";

/** How to wait for an engine: resolves when the state is as wanted, or already was; rejects with `what` never came. */
export function whenOf(engine: Engine): (what: string, wanted: (state: State) => boolean) => Promise<State> {
	return (what, wanted) =>
		new Promise<State>((resolve, reject) => {
			void setTimeout(30_000, undefined, { ref: false }).then(() => reject(new Error(`never: ${what}`)));
			const look = (state: State) => {
				if (!wanted(state)) return;
				stop();
				resolve(state);
			};
			const stop = engine.subscribe(look);
			look(engine.state);
		});
}
