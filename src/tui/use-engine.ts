/** The engine's state and the time, as often as the screen needs them. */
import { useEffect, useState } from "react";
import type { Engine } from "../engine/engine.ts";
import type { State } from "../journal/state.ts";

export interface Snapshot {
	state: State;
	/** Epoch ms. */
	now: number;
}

/**
 * Progress arrives ten times a second or more, which is faster than people read, and each frame costs ten
 * milliseconds.
 */
const REDRAW_MS = 500;
/** Clocks on the screen show whole seconds. */
const CLOCK_MS = 1000;

export function useEngine(engine: Engine): Snapshot {
	const [snapshot, setSnapshot] = useState<Snapshot>(() => ({ state: engine.state, now: Date.now() }));
	useEffect(() => {
		let drawnAt = 0;
		let timer: NodeJS.Timeout | undefined;
		const draw = () => {
			clearTimeout(timer);
			drawnAt = performance.now();
			timer = setTimeout(draw, CLOCK_MS);
			setSnapshot({ state: engine.state, now: Date.now() });
		};
		let scheduled = false;
		const soon = () => {
			if (scheduled) return;
			scheduled = true;
			clearTimeout(timer);
			timer = setTimeout(
				() => {
					scheduled = false;
					draw();
				},
				Math.max(0, drawnAt + REDRAW_MS - performance.now()),
			);
		};
		draw();
		const unsubscribe = engine.subscribe(soon);
		return () => {
			unsubscribe();
			clearTimeout(timer);
		};
	}, [engine]);
	return snapshot;
}
