/**
 * The loop: one experiment after the other until it is told to stop. It knows no screen. Whatever goes wrong becomes a
 * row, a notice or a wait.
 */
import { setTimeout } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import type { ProgramListener } from "../program/program.ts";
import { ResearcherError } from "../researcher/researcher.ts";
import type { Command } from "./command.ts";
import { reconcile, settle } from "./consequences.ts";
import { Controls, type Move } from "./controls.ts";
import { DraftAhead } from "./draft-ahead.ts";
import { type ExperimentParts, Experiments } from "./experiments.ts";
import { carryOut, revertible } from "./human.ts";
import { type Limits, Spending } from "./spending.ts";
import { inFlight } from "./state.ts";

export interface LoopParts extends Omit<ExperimentParts, "spending" | "ahead" | "programListener"> {
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
	readonly #spending = new Spending();
	readonly #ahead?: DraftAhead;
	readonly #experiments: Experiments;
	#failures = 0;

	constructor(parts: LoopParts) {
		this.#parts = parts;
		const shared = { ...parts, spending: this.#spending, programListener: this.#programListener };
		if (parts.draftAhead) this.#ahead = new DraftAhead(shared);
		this.#experiments = new Experiments({ ...shared, ahead: this.#ahead }, this.#controls);
	}

	async command(command: Command): Promise<string> {
		const answer = await carryOut(command, this.#parts.store, this.#controls);
		// A note is for the very next proposal, also when that is being drafted already.
		if (command.type === "note") this.#redraft();
		return answer;
	}

	/** Runs until it is stopped or a limit is reached. */
	async run(): Promise<void> {
		const { store, program, limits } = this.#parts;
		const controls = this.#controls;
		await reconcile(this.#parts);
		await program.watch(this.#programListener);
		try {
			while (!controls.stopping) {
				const limit = this.#spending.exhausted(store.state, limits);
				if (controls.moves.length > 0) await this.#move(controls.moves.shift()!);
				else if (limit) return await store.emit({ type: "run.stopped", reason: limit });
				else if (controls.stopAfter && !inFlight(store.state)) break;
				else if (store.state.paused) await this.#paused();
				else await this.#guarded(() => this.#experiments.next());
			}
			await store.emit({ type: "run.stopped", reason: "stopped by hand" });
		} finally {
			this.#ahead?.drop();
			await program.close();
		}
	}

	/** Makes a move of the branch that the human asked for. */
	async #move({ type, n }: Move): Promise<void> {
		const { store } = this.#parts;
		if (type === "revert") {
			if (revertible(store)?.n !== n) {
				const text = `experiment ${n} was not reverted: the branch has moved to experiment ${store.state.best} meanwhile`;
				return store.emit({ type: "notice", level: "warn", text });
			}
			await store.emit({ type: "experiment.reverted", n, reason: "reverted by hand" });
		} else {
			const reason = type === "keep" ? "kept by hand" : "made the base by hand";
			await store.emit({ type: "experiment.adopted", n, reason });
		}
		await settle(this.#parts, store.state.experiments[n - 1]!);
	}

	async #paused(): Promise<void> {
		this.#experiments.phase("paused", this.#parts.store.state.experiments.length);
		await this.#controls.woken();
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
			await setTimeout(delay, undefined, { signal: this.#controls.begin() }).catch(() => {});
		}
	}

	/** Drafts the next proposal again, under what the human has just said. */
	#redraft(): void {
		const n = this.#ahead?.n;
		if (n !== undefined) this.#ahead!.begin(n, this.#parts.program.current);
	}

	get #programListener(): ProgramListener {
		const { store, program } = this.#parts;
		return {
			changed: ({ version, text }) => {
				store.tick({ type: "tick.program" });
				void store.emit({ type: "program.changed", version, lines: text.trimEnd().split("\n").length });
				if (this.#experiments.proposing) this.#controls.interrupt({ kind: "program" });
				this.#redraft();
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
