/**
 * The loop: one experiment after the other until it is told to stop. It knows no screen. Whatever goes wrong becomes a
 * row, a notice or a wait.
 */
import { setTimeout } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import { inFlight } from "../journal/state.ts";
import type { ProgramListener } from "../program/program.ts";
import { ResearcherError } from "../researcher/researcher.ts";
import type { Command } from "./command.ts";
import { Controls } from "./controls.ts";
import { DraftAhead } from "./draft-ahead.ts";
import { type ExperimentParts, Experiments } from "./experiment-runner.ts";
import { carryOut, droppedBy } from "./handle-command.ts";
import { type Move, refusalOf } from "./moves.ts";
import { reconcile, settle } from "./reconcile.ts";
import { type Limits, Spending } from "./spending.ts";

export interface LoopParts extends Omit<ExperimentParts, "spending" | "ahead"> {
	limits: Limits;
	/** Draft the next proposal while one trains. */
	draftAhead: boolean;
}

const FIRST_RETRY_MS = 2000;
const LONGEST_RETRY_MS = 300_000;
/** The same commit that trips the console itself this often becomes a crash row. */
const TRIES = 3;

export class Loop {
	readonly #parts: LoopParts;
	readonly #controls = new Controls();
	readonly #spending: Spending;
	readonly #ahead?: DraftAhead;
	readonly #experiments: Experiments;
	#failures = 0;

	constructor(parts: LoopParts) {
		this.#parts = parts;
		this.#spending = new Spending(parts.store, parts.limits);
		this.#spending.signal.addEventListener("abort", () => this.#controls.wake());
		const shared = { ...parts, spending: this.#spending };
		if (parts.draftAhead) this.#ahead = new DraftAhead(shared);
		this.#experiments = new Experiments({ ...shared, ahead: this.#ahead }, this.#controls);
	}

	async command(command: Command): Promise<string> {
		const { store } = this.#parts;
		const told = store.state.notes.length;
		const answer = await carryOut(command, store, this.#controls);
		if (store.state.notes.length > told) this.#steer();
		return answer;
	}

	/** Runs until it is stopped or a limit is reached. */
	async run(): Promise<void> {
		const { store, program } = this.#parts;
		const controls = this.#controls;
		await reconcile(this.#parts);
		await program.watch(this.#programListener);
		this.#spending.watch();
		try {
			while (!controls.stopping) {
				const limit = this.#spending.exhausted;
				if (controls.moves.length > 0) await this.#guarded(() => this.#move(controls.moves.shift()!));
				else if (limit) return await store.emit({ type: "run.stopped", reason: limit });
				else if (this.#isLast()) break;
				else if (store.state.paused) await this.#paused();
				else await this.#guarded(() => this.#experiments.next());
			}
			await store.emit({ type: "run.stopped", reason: "stopped by hand" });
		} finally {
			this.#spending.close();
			await this.#ahead?.close();
			await program.close();
		}
	}

	/** The experiment to stop after is decided, or set aside: then nothing would come of waiting. */
	#isLast(): boolean {
		const { state } = this.#parts.store;
		return state.stopAfter !== undefined && (!inFlight(state) || state.setAside);
	}

	/** Makes a move of the branch that the human asked for, unless it makes no sense any more. */
	async #move(move: Move): Promise<void> {
		const { store } = this.#parts;
		const { type, n } = move;
		const refusal = refusalOf(move, store.state);
		if (refusal) return store.emit({ type: "notice", level: "warn", text: `the branch was not moved: ${refusal}` });
		if (type === "revert") await store.emit({ type: "experiment.reverted", n, reason: "reverted by hand" });
		else {
			const reason = type === "keep" ? "kept by hand" : "made the base by hand";
			await store.emit({ type: "experiment.adopted", n, reason });
		}
		await settle(this.#parts, store.state.experiments[n - 1]!);
		await this.#drop(droppedBy(move));
	}

	/** Ends the experiment in flight when a human skipped it while nothing was being done about it; a move of the branch does so itself. */
	async #heedSkip(): Promise<void> {
		const { interruption, moves } = this.#controls;
		if (interruption?.kind === "discard" && moves.length === 0)
			await this.#guarded(() => this.#drop(interruption.reason));
	}

	async #drop(reason: string): Promise<void> {
		const running = inFlight(this.#parts.store.state);
		if (running) await this.#experiments.decide(running.n, "discard", reason);
	}

	async #paused(): Promise<void> {
		this.#controls.begin();
		this.#experiments.phase("paused", this.#parts.store.state.experiments.length);
		await this.#controls.woken();
		await this.#heedSkip();
	}

	/** What an experiment throws is a fault outside it (git, disk, network): told, waited out, tried again. */
	async #guarded(experiment: () => Promise<void>): Promise<void> {
		const { store } = this.#parts;
		try {
			await experiment();
			this.#failures = 0;
		} catch (error) {
			const running = inFlight(store.state);
			const message = messageOf(error);
			this.#failures++;
			const text = running ? `experiment ${running.n}: ${message}` : message;
			await store.emit({ type: "notice", level: "error", text });
			if (running?.commit && this.#failures >= TRIES) {
				const reason = `the console failed ${TRIES} times: ${message}`;
				return this.#guarded(() => this.#experiments.decide(running.n, "crash", reason));
			}
			// Only a person can mend a wrong key; meanwhile there is no point in asking often.
			const first = error instanceof ResearcherError ? LONGEST_RETRY_MS : FIRST_RETRY_MS;
			const delay = Math.min(first * 2 ** (this.#failures - 1), LONGEST_RETRY_MS);
			this.#experiments.phase("waiting", running?.n ?? 0, `${message}; trying again`, Date.now() + delay);
			const signal = AbortSignal.any([this.#controls.begin(), this.#spending.signal]);
			await setTimeout(delay, undefined, { signal }).catch(() => {});
			await this.#heedSkip();
		}
	}

	/** What the human has just said holds for the very next proposal: one that is being written is asked for again. */
	#steer(): void {
		if (this.#experiments.proposing) this.#controls.interrupt({ kind: "steering" });
		const n = this.#ahead?.n;
		if (n !== undefined) this.#ahead!.begin(n, this.#parts.program.current);
	}

	get #programListener(): ProgramListener {
		const { store, program } = this.#parts;
		return {
			changed: ({ version, text }) => {
				store.tick({ type: "tick.program" });
				void store.emit({ type: "program.changed", version, lines: text.trimEnd().split("\n").length });
				this.#steer();
			},
			unusable: (reason) => {
				store.tick({ type: "tick.program", problem: `program.md ${reason}` });
				const text = `${program.path} ${reason}; version ${program.current.version} goes on steering`;
				void store.emit({ type: "notice", level: "warn", text });
			},
			usable: () => store.tick({ type: "tick.program" }),
		};
	}
}
