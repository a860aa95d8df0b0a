/**
 * An engine that is still being opened: the console is on the screen at once, sees the data being prepared, and what
 * it asks reaches the engine as soon as that is there.
 */
import type { Tick } from "../journal/events.ts";
import { fold } from "../journal/fold.ts";
import { initialState } from "../journal/state.ts";
import type { Listener } from "../journal/store.ts";
import type { Engine } from "./engine.ts";
import type { StartListeners } from "./start.ts";
import type { ReadyProgress } from "./warm-up.ts";

export interface Opening {
	engine: Engine;
	/** Rejects with what a person must mend before the run can begin. */
	opened: Promise<Engine>;
}

/**
 * @param open what opens the engine, given who listens to it
 * @param programPath where program.md is, which the console may be asked for before the engine is there
 */
export function openInBackground(
	open: (listeners: StartListeners) => Promise<Engine>,
	programPath: () => Promise<string>,
): Opening {
	let state = initialState();
	const listeners = new Set<Listener>();
	const hear: Listener = (now, event) => {
		state = now;
		for (const listener of listeners) listener(now, event);
	};
	const tell = (tick: Tick) => hear(fold(state, tick), tick);
	const opened = open({ onEvent: hear, onPrepare: (progress) => tell(preparing(progress)) });
	const finished = opened.then((engine) => engine.finished);
	finished.catch(() => {});
	return {
		opened,
		engine: {
			get state() {
				return state;
			},
			subscribe(listener) {
				listeners.add(listener);
				return () => listeners.delete(listener);
			},
			async command(command) {
				if (command.type === "stop") tell({ type: "tick.stopping" });
				return (await opened).command(command);
			},
			read: {
				diff: async (n) => (await opened).read.diff(n),
				log: async (n, from, limit) => (await opened).read.log(n, from, limit),
				programs: async () => (await opened).read.programs(),
			},
			programPath,
			finished,
		},
	};
}

function preparing({ stage, done, total, note }: ReadyProgress): Tick {
	const share = total > 0 ? ` ${Math.floor((100 * done) / total)}%` : "";
	const text = `preparing ${stage}${share}${note ? ` (${note})` : ""}`;
	return { type: "tick.phase", phase: "starting", n: 0, note: text };
}
