/** Executes what a human asks of a running loop: checks that it makes sense now, and says in one line what happens. */

import { inFlight } from "../journal/state.ts";
import type { Store } from "../journal/store.ts";
import { oneLine } from "../text.ts";
import { type Command, noteProblem } from "./command.ts";
import type { Controls } from "./controls.ts";
import { type Move, refusalOf } from "./moves.ts";

export async function execute(command: Command, store: Store, controls: Controls): Promise<string> {
	const { state } = store;
	const running = inFlight(state);
	switch (command.type) {
		case "pause":
		case "pause-now":
			if (state.paused && (command.type === "pause" || state.setAside)) return "already paused";
			if (!state.paused) await store.emit({ type: "run.paused", by: "human" });
			if (!running) return "paused";
			if (command.type === "pause" || state.live.phase !== "training") return `pausing after experiment ${running.n}`;
			controls.interrupt({ kind: "set-aside" });
			return `paused; experiment ${running.n} is interrupted and will be trained again from its start`;
		case "resume":
			if (!state.paused) return "not paused";
			await store.emit({ type: "run.resumed", by: "human" });
			controls.wake();
			return "resumed";
		case "skip":
			if (running?.n !== command.n) return `nothing is skipped: experiment ${command.n} is not running any more`;
			controls.interrupt({ kind: "discard", reason: "skipped by hand" });
			return `skipping experiment ${command.n}`;
		case "revert":
			return move(command, `reverting experiment ${command.n}`, store, controls);
		case "keep":
			return move(command, `keeping experiment ${command.n} by hand`, store, controls);
		case "base":
			return move(command, `experiment ${command.n} is the new base`, store, controls);
		case "approval":
			await store.emit({ type: "run.approval", on: command.on });
			if (!command.on && running) controls.answer(running.n, true);
			return command.on ? "each proposal now waits for your yes" : "proposals are trained without asking";
		case "approve":
			return controls.answer(command.n, true)
				? `training experiment ${command.n}`
				: `experiment ${command.n} is not waiting`;
		case "reject":
			return controls.answer(command.n, false)
				? `experiment ${command.n} is rejected`
				: `experiment ${command.n} is not waiting`;
		case "note": {
			const text = oneLine(command.text);
			const problem = noteProblem(text);
			if (problem) return problem;
			await store.emit({ type: "note.added", text });
			return "the note goes into the next proposal's brief";
		}
		case "stop":
			controls.stopping = true;
			store.tick({ type: "tick.stopping" });
			controls.interrupt({ kind: "stop" });
			return "stopping";
		case "stop-after":
			if (running?.n !== command.n) return `the run goes on: experiment ${command.n} is not running any more`;
			await store.emit({ type: "run.stop-after", n: command.n });
			controls.wake();
			return state.setAside ? "stopping" : `stopping after experiment ${command.n}`;
		case "go-on":
			if (state.stopAfter !== undefined) await store.emit({ type: "run.stop-after" });
			return "the run goes on";
	}
}

/** Queues a move of the branch, and drops the experiment in flight, since it is built on the old place. */
function move({ type, n }: Move, answer: string, { state }: Store, controls: Controls): string {
	const refusal = refusalOf({ type, n }, state);
	if (refusal) return refusal;
	controls.moves.push({ type, n });
	controls.interrupt({ kind: "discard", reason: droppedBy({ type, n }) });
	return answer;
}

/** Why an experiment in flight is dropped by a move. */
export function droppedBy({ type, n }: Move): string {
	return type === "revert"
		? `dropped: experiment ${n}, which it was built on, was reverted by hand`
		: `dropped: the branch moved to experiment ${n} by hand`;
}
