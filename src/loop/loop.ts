/**
 * The loop: one experiment after the other until it is stopped. It knows no screen. Whatever goes wrong becomes a
 * row, a notice or a wait.
 */
import { setTimeout } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import { inFlight } from "../journal/state.ts";
import type { ProgramListener } from "../program/program.ts";
import { ResearcherError } from "../researcher/researcher.ts";
import type { Command } from "./command.ts";
import type { Cause } from "./controls.ts";
import { DraftAhead } from "./draft-ahead.ts";
import { ExperimentRunner } from "./experiment-runner.ts";
import { droppedBy, execute } from "./handle-command.ts";
import { type Move, refusalOf } from "./moves.ts";
import { applyDecision, reconcile } from "./reconcile.ts";
import type { RunContext } from "./run-context.ts";

const FIRST_RETRY_MS = 2000;
const LONGEST_RETRY_MS = 300_000;
/** An experiment whose commit makes the console itself fail this often becomes a crash row. */
const TRIES = 3;

export class Loop {
	readonly #run: RunContext;
	readonly #ahead?: DraftAhead;
	readonly #experiments: ExperimentRunner;
	#failures = 0;

	/** @param draftAhead whether the next proposal is drafted while an experiment trains */
	constructor(run: RunContext, { draftAhead }: { draftAhead: boolean }) {
		this.#run = run;
		run.spending.signal.addEventListener("abort", () => run.controls.wake());
		if (draftAhead) this.#ahead = new DraftAhead(run);
		this.#experiments = new ExperimentRunner(run, this.#ahead);
	}

	async command(command: Command): Promise<string> {
		const { store, controls } = this.#run;
		const before = store.state.notes.length;
		const answer = await execute(command, store, controls);
		if (store.state.notes.length > before) this.#steer();
		return answer;
	}

	/** Runs until it is stopped or a limit is reached. */
	async run(): Promise<void> {
		const { store, program, controls, spending } = this.#run;
		await reconcile(this.#run);
		await program.watch(this.#programListener);
		spending.watch();
		try {
			while (!controls.stopping) {
				const limit = spending.exhausted;
				if (controls.moves.length > 0) await this.#guarded(() => this.#move(controls.moves.shift()!));
				else if (limit) return void (await store.emit({ type: "run.stopped", reason: limit }));
				else if (this.#isLast()) break;
				else if (store.state.paused) await this.#paused();
				else await this.#guarded(() => this.#experiments.next());
			}
			await store.emit({ type: "run.stopped", reason: "stopped by hand" });
		} finally {
			spending.close();
			await this.#ahead?.close();
			await program.close();
		}
	}

	/** The experiment to stop after is decided, or set aside, in which case it would never be decided. */
	#isLast(): boolean {
		const { state } = this.#run.store;
		return state.stopAfter !== undefined && (!inFlight(state) || state.setAside);
	}

	/** Makes a move of the branch that the human asked for, unless it makes no sense any more. */
	async #move(move: Move): Promise<void> {
		const { store } = this.#run;
		const { type, n } = move;
		const refusal = refusalOf(move, store.state);
		if (refusal) {
			await store.emit({ type: "notice", level: "warn", text: `the branch was not moved: ${refusal}` });
			return;
		}
		const reason = { revert: "reverted by hand", keep: "kept by hand", base: "made the base by hand" }[type];
		const moved = type === "revert" ? "experiment.reverted" : "experiment.adopted";
		const { experiments } = await store.emit({ type: moved, n, reason });
		await applyDecision(this.#run, experiments[n - 1]!);
		await this.#heed({ kind: "discard", reason: droppedBy(move) });
	}

	/** Carries out what was asked of the experiment in flight while nothing was being done about it. */
	async #heed(cause: Cause | undefined): Promise<void> {
		const running = inFlight(this.#run.store.state);
		if (running && cause) await this.#experiments.heed(running.n, cause);
	}

	/** The same for a request that came during a wait. A queued move of the branch drops the experiment itself. */
	async #heedPending(cause: Cause | undefined): Promise<void> {
		if (this.#run.controls.moves.length === 0) await this.#guarded(() => this.#heed(cause));
	}

	async #paused(): Promise<void> {
		const { store, controls } = this.#run;
		controls.begin();
		this.#experiments.phase("paused", store.state.experiments.length);
		await controls.woken();
		await this.#heedPending(controls.pending);
	}

	/** What an experiment throws is a fault outside it (git, disk, network): a notice, a wait, and another try. */
	async #guarded(work: () => Promise<void>): Promise<void> {
		const { store, controls, spending } = this.#run;
		try {
			await work();
			this.#failures = 0;
		} catch (error) {
			const running = inFlight(store.state);
			const message = messageOf(error);
			this.#failures++;
			const text = running ? `experiment ${running.n}: ${message}` : message;
			await store.emit({ type: "notice", level: "error", text });
			// What the human asked for while the fault arose holds all the same.
			const asked = controls.pending;
			if (asked?.kind === "discard" || asked?.kind === "set-aside") {
				controls.begin();
				return this.#heedPending(asked);
			}
			if (running?.commit && this.#failures >= TRIES) {
				const reason = `the console failed ${TRIES} times: ${message}`;
				return this.#guarded(() => this.#experiments.decide(running.n, "crash", reason));
			}
			// Only a person can mend a wrong key; meanwhile there is no point in asking often.
			const first = error instanceof ResearcherError ? LONGEST_RETRY_MS : FIRST_RETRY_MS;
			const delay = Math.min(first * 2 ** (this.#failures - 1), LONGEST_RETRY_MS);
			this.#experiments.phase("waiting", running?.n ?? 0, `${message}; trying again`, Date.now() + delay);
			const signal = AbortSignal.any([controls.begin(), spending.signal]);
			await setTimeout(delay, undefined, { signal }).catch(() => {});
			await this.#heedPending(controls.pending);
		}
	}

	/** What the human has just said holds for the very next proposal: one that is being written is asked for again. */
	#steer(): void {
		if (this.#experiments.proposing) this.#run.controls.interrupt({ kind: "steering" });
		const n = this.#ahead?.n;
		if (n !== undefined) this.#ahead!.begin(n, this.#run.program.current);
	}

	get #programListener(): ProgramListener {
		const { store, program } = this.#run;
		return {
			changed: ({ version, text }) => {
				store.tick({ type: "tick.program" });
				void store.emit({ type: "program.changed", version, lines: text.trimEnd().split("\n").length });
				this.#steer();
			},
			unusable: (reason) => {
				store.tick({ type: "tick.program", problem: `program.md ${reason}` });
				const text = `${program.path} ${reason}; version ${program.current.version} stays in use`;
				void store.emit({ type: "notice", level: "warn", text });
			},
			usable: () => store.tick({ type: "tick.program" }),
		};
	}
}
