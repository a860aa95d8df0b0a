/** What the loop is doing, in a word and in a sentence. */
import { inFlight, type State } from "../journal/state.ts";
import { clock } from "../report/format.ts";
import type { Tone } from "./theme.ts";

export interface RunStatus {
	/** One word, for the header. */
	word: string;
	tone: Tone;
	/** Shown in place of the training's progress. */
	sentence: string;
	/** The end of the sentence, which is never cut. */
	ending?: string;
}

export function statusOf(state: State, now: number): RunStatus {
	const { phase, n, note, until } = state.live;
	if (state.stopped !== undefined) return { word: "stopped", tone: "quiet", sentence: `Stopped: ${state.stopped}.` };
	if (state.live.stopping) return { word: "stopping", tone: "warn", sentence: "Stopping." };
	if (phase === "paused") {
		const interrupted = `Paused; experiment ${n} was interrupted. p resumes and trains it again.`;
		return { word: "paused", tone: "warn", sentence: state.setAside ? interrupted : "Paused. p resumes." };
	}
	if (state.paused && inFlight(state))
		return { word: "pausing", tone: "warn", sentence: `Pausing after experiment ${n}.` };
	switch (phase) {
		case "starting":
			return { word: "starting", tone: "quiet", sentence: note ?? "Starting." };
		case "proposing":
			return { word: "proposing", tone: "accent", sentence: note ?? `The researcher is writing experiment ${n}.` };
		case "preflight":
			return { word: "checking", tone: "accent", sentence: note ?? `Checking experiment ${n} before it is trained.` };
		case "approving":
			return {
				word: "your turn",
				tone: "warn",
				sentence: `Experiment ${n} waits for you: y trains it, n drops it.`,
			};
		case "training":
			return { word: "training", tone: "good", sentence: note ?? `Experiment ${n} starts up.` };
		case "evaluating":
			return { word: "measuring", tone: "accent", sentence: note ?? `Measuring experiment ${n}.` };
		case "deciding":
			return { word: "deciding", tone: "accent", sentence: note ?? `Deciding about experiment ${n}.` };
		case "waiting": {
			const ending = until === undefined ? "." : `, ${clock((until - now) / 1000)} left.`;
			return { word: "waiting", tone: "warn", sentence: capital(note ?? "waiting"), ending };
		}
		case "stopped":
			return { word: "stopped", tone: "quiet", sentence: note ?? "Stopped." };
	}
}

function capital(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}
