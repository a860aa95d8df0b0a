/** Carries out what a human asks of a running loop: checks that it makes sense now, and says in one line what happens. */
import type { Command } from "./command.ts";
import type { Controls, Move } from "./controls.ts";
import { best, type Experiment, inFlight } from "./state.ts";
import type { Store } from "./store.ts";

const NOTE_LIMIT = 500;

export async function carryOut(command: Command, store: Store, controls: Controls): Promise<string> {
	const { state } = store;
	const running = inFlight(state);
	switch (command.type) {
		case "pause":
		case "pause-now":
			if (state.paused && command.type === "pause") return "already paused";
			if (!state.paused) await store.emit({ type: "run.paused", by: "human" });
			if (!running) return "paused";
			if (command.type === "pause" || state.live.phase !== "training") return `pausing after experiment ${running.n}`;
			controls.interrupt({ kind: "set-aside" });
			return `paused; experiment ${running.n} is set aside and will be trained afresh`;
		case "resume":
			if (!state.paused) return "not paused";
			await store.emit({ type: "run.resumed", by: "human" });
			controls.wake();
			return "going on";
		case "skip":
			if (!running) return "nothing to skip: no experiment is running";
			controls.interrupt({ kind: "discard", reason: "skipped by hand" });
			return `skipping experiment ${running.n}`;
		case "revert": {
			const target = revertible(store);
			if (!target) return "nothing to revert: the branch stands where the run began";
			return move(controls, { type: "revert", n: target.n }, `reverting experiment ${target.n}`);
		}
		case "keep": {
			const chosen = state.experiments[command.n - 1];
			const refusal = unmovable(chosen, state.best, command.n);
			if (refusal) return refusal;
			const onBest = chosen!.parent === (best(state)?.commit ?? state.base);
			if (!onBest)
				return `experiment ${command.n} was built on another commit than the branch stands on; make it the base instead`;
			return move(controls, { type: "keep", n: command.n }, `keeping experiment ${command.n} by hand`);
		}
		case "base": {
			const refusal = unmovable(state.experiments[command.n - 1], state.best, command.n);
			return refusal ?? move(controls, { type: "base", n: command.n }, `experiment ${command.n} is the new base`);
		}
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
			const text = command.text
				.replace(/[\s\x00-\x1f\x7f]+/g, " ")
				.trim()
				.slice(0, NOTE_LIMIT);
			if (!text) return "an empty note says nothing";
			await store.emit({ type: "note.added", text });
			return "the next proposal will hear it";
		}
		case "stop":
			controls.stopping = true;
			controls.interrupt({ kind: "stop" });
			return "stopping";
		case "stop-after":
			controls.stopAfter = true;
			controls.wake();
			return running ? `stopping after experiment ${running.n}` : "stopping";
	}
}

/** The experiment a revert takes back: the one the branch stands on, unless that is where the run began. */
export function revertible(store: Store): Experiment | undefined {
	const standing = best(store.state);
	return standing && standing.commit !== store.state.base ? standing : undefined;
}

function unmovable(experiment: Experiment | undefined, standing: number, n: number): string | undefined {
	if (!experiment) return `there is no experiment ${n}`;
	if (experiment.value === undefined || !experiment.status || experiment.status === "crash")
		return `experiment ${n} was not measured`;
	if (n === standing) return `the branch stands on experiment ${n} already`;
	return undefined;
}

/** Queues a move of the branch, and drops the experiment in flight, since it is built on the old place. */
function move(controls: Controls, wanted: Move, answer: string): string {
	controls.moves.push(wanted);
	const why =
		wanted.type === "revert"
			? `experiment ${wanted.n}, which it was built on, was reverted by hand`
			: `the branch moved to experiment ${wanted.n} by hand`;
	controls.interrupt({ kind: "discard", reason: `dropped: ${why}` });
	return answer;
}
