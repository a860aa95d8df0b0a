/**
 * The loop: propose, commit, train, measure, decide; again, until it is told to stop. It knows no screen. Whatever goes
 * wrong becomes a row, a notice or a wait. Everything it does is in the journal before it has consequences, so that a
 * new process can take over at any point.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import { experimentRef } from "../git/repository.ts";
import type { Worktree } from "../git/worktree.ts";
import type { Lab } from "../lab/lab.ts";
import type { Program, ProgramListener } from "../program/program.ts";
import type { Researcher } from "../researcher/researcher.ts";
import { preflight } from "../runner/preflight.ts";
import { modelPath, type Trainer } from "../runner/trainer.ts";
import type { Command } from "./command.ts";
import { experimentDir, type Places, reconcile, settle } from "./consequences.ts";
import { Controls, type Move } from "./controls.ts";
import type { Phase, Status } from "./events.ts";
import { judge } from "./gate.ts";
import { carryOut, revertible } from "./human.ts";
import { requestProposal } from "./proposal.ts";
import { best, type Experiment, inFlight, tally } from "./state.ts";

export interface LoopParts extends Places {
	lab: Lab;
	worktree: Worktree;
	program: Program;
	researcher: Researcher;
	trainer: Trainer;
	/** Stop after this many decided experiments, the baseline included. */
	maxExperiments: number;
}

/** An experiment that ends here, with this row. */
class Ended extends Error {
	readonly status: Status;
	constructor(status: Status, reason: string) {
		super(reason);
		this.status = status;
	}
}

const FIRST_RETRY_MS = 2000;
const LONGEST_RETRY_MS = 300_000;
/** The same commit that trips the console itself this often becomes a crash row. */
const TRIES = 3;

export class Loop {
	readonly #parts: LoopParts;
	readonly #controls = new Controls();
	#proposing = false;
	#failures = 0;

	constructor(parts: LoopParts) {
		this.#parts = parts;
	}

	command(command: Command): Promise<string> {
		return carryOut(command, this.#parts.store, this.#controls);
	}

	/** Runs until stopped or until the number of experiments is reached. */
	async run(): Promise<void> {
		const { store, program, maxExperiments } = this.#parts;
		const controls = this.#controls;
		await reconcile(this.#parts);
		await program.watch(this.#programListener);
		try {
			while (!controls.stopping) {
				const { total } = tally(store.state);
				if (controls.moves.length > 0) await this.#move(controls.moves.shift()!);
				else if (total >= maxExperiments) return await this.#stopped(`${total} experiments done`);
				else if (controls.stopAfter && !inFlight(store.state)) break;
				else if (store.state.paused) await this.#paused();
				else await this.#guarded(() => this.#experiment());
			}
			await this.#stopped("stopped by hand");
		} finally {
			await program.close();
		}
	}

	async #experiment(): Promise<void> {
		const { store } = this.#parts;
		this.#controls.begin();
		const n = inFlight(store.state)?.n ?? store.state.experiments.length + 1;
		try {
			if (!inFlight(store.state)?.commit) await (n === 1 ? this.#baseline() : this.#propose(n));
			const { value } = await this.#measure(store.state.experiments[n - 1]!);
			this.#phase("deciding", n);
			const { status, reason } = judge(value!, best(store.state)?.value, store.state.metric);
			await this.#decide(n, status, reason);
		} catch (error) {
			if (error instanceof Ended) return this.#decide(n, error.status, error.message);
			const interruption = this.#controls.interruption;
			if (interruption?.kind === "discard") return this.#decide(n, "discard", interruption.reason);
			if (interruption?.kind === "set-aside") {
				return store.emit({ type: "experiment.requeued", n, reason: "paused by hand" });
			}
			if (interruption?.kind !== "stop") throw error;
		}
	}

	/** Experiment 1 measures the training file as the user committed it. */
	async #baseline(): Promise<void> {
		const { store, repository, program, tag } = this.#parts;
		const { base } = store.state;
		const { version } = program.current;
		await store.emit({ type: "experiment.started", n: 1, parent: base, program: version, researcher: "baseline" });
		const hypothesis = "The training file as it is: what every change is compared with.";
		await store.emit({ type: "experiment.proposed", n: 1, title: "baseline", hypothesis, changes: [], seconds: 0 });
		await repository.setRef(experimentRef(tag, 1), base);
		await store.emit({ type: "experiment.committed", n: 1, commit: base, added: 0, removed: 0 });
	}

	/** Asks until there is a proposal under the present program.md, and commits it. */
	async #propose(n: number): Promise<void> {
		const { store, lab, program, researcher, repository, worktree, tag } = this.#parts;
		const controls = this.#controls;
		for (;;) {
			await program.refresh(this.#programListener);
			const steering = program.current;
			const parent = best(store.state)?.commit ?? store.state.base;
			await store.emit({
				type: "experiment.started",
				n,
				parent,
				program: steering.version,
				researcher: researcher.name,
			});
			this.#phase("proposing", n);
			const started = performance.now();
			const files = new Map<string, string>();
			for (const path of lab.edit) files.set(path, await repository.show(parent, path));
			this.#proposing = true;
			const proposal = await requestProposal({
				store,
				researcher,
				n,
				program: steering,
				files,
				signal: controls.signal,
			})
				.catch((error) => {
					if (controls.interruption?.kind !== "program") throw error;
				})
				.finally(() => {
					this.#proposing = false;
				});
			await program.refresh(this.#programListener);
			if (controls.interruption?.kind === "program") controls.begin();
			controls.signal.throwIfAborted();
			if (!proposal || program.current.version !== steering.version) continue;

			const { title, hypothesis, changes } = proposal;
			await store.emit({ type: "experiment.proposed", n, title, hypothesis, changes, seconds: secondsSince(started) });
			const trailers = `Experiment: ${n}\nProgram: ${steering.version}\nResearcher: ${researcher.name}`;
			const message = [title, hypothesis, trailers].filter(Boolean).join("\n\n");
			const committed = await worktree.commit(parent, proposal.files, message, experimentRef(tag, n));
			await store.emit({ type: "experiment.committed", n, ...committed });
			return;
		}
	}

	/** Trains and evaluates a committed experiment, as far as an earlier process has not done so already. */
	async #measure(experiment: Experiment): Promise<Experiment> {
		const { store, repository, worktree, trainer, dir } = this.#parts;
		const { n, commit, parent, title, hypothesis } = experiment;
		if (experiment.value !== undefined) return experiment;
		const { signal } = this.#controls;
		const out = experimentDir(dir, n);
		const diff = await repository.diff(parent, commit!);
		writeFileSync(join(out, "proposal.diff"), diff);
		store.tick({ type: "tick.draft", n, title, hypothesis, diff });
		await worktree.checkout(commit!);

		const trainedBefore = experiment.seconds.train !== undefined && existsSync(modelPath(out));
		if (!trainedBefore) await this.#train(n, commit!, out);
		this.#phase("evaluating", n);
		const measured = await trainer.evaluate(worktree.labDir, out, signal);
		if ("crash" in measured) throw new Ended("crash", measured.crash);
		await store.emit({ type: "experiment.measured", n, value: measured.value, seconds: measured.seconds });
		return store.state.experiments[n - 1]!;
	}

	async #train(n: number, commit: string, out: string): Promise<void> {
		const { store, lab, repository, worktree, trainer } = this.#parts;
		this.#phase("preflight", n);
		const started = performance.now();
		for (const path of lab.train === "built-in" ? lab.edit : []) {
			const refusal = preflight(path, await repository.show(commit, path));
			if (refusal) throw new Ended("crash", refusal);
		}
		const checked = secondsSince(started);
		if (store.state.approval && n > 1) {
			this.#phase("approving", n);
			if (!(await this.#controls.approval(n))) throw new Ended("discard", "rejected by hand");
		}
		this.#phase("training", n);
		rmSync(modelPath(out), { recursive: true, force: true });
		const trained = await trainer.train(worktree.labDir, out, this.#controls.signal, (progress) =>
			store.tick({ type: "tick.training", n, progress }),
		);
		if ("crash" in trained) throw new Ended("crash", trained.crash);
		const seconds = { preflight: checked, ...trained.seconds };
		await store.emit({ type: "experiment.trained", n, seconds, memoryGb: trained.memoryGb, summary: trained.summary });
	}

	async #decide(n: number, status: Status, reason: string): Promise<void> {
		const { store, dir } = this.#parts;
		const previous = best(store.state)?.n;
		await store.emit({ type: "experiment.decided", n, status, reason, seconds: {} });
		this.#failures = 0;
		await settle(this.#parts, store.state.experiments[n - 1]!);
		// A night of models would fill the disk; the best one's is worth keeping.
		const superseded = status === "keep" ? previous : n;
		if (superseded) rmSync(modelPath(experimentDir(dir, superseded)), { recursive: true, force: true });
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
			await store.emit({
				type: "experiment.adopted",
				n,
				reason: type === "keep" ? "kept by hand" : "made the base by hand",
			});
		}
		await settle(this.#parts, store.state.experiments[n - 1]!);
	}

	async #paused(): Promise<void> {
		this.#phase("paused", this.#parts.store.state.experiments.length);
		await this.#controls.woken();
	}

	async #stopped(reason: string): Promise<void> {
		await this.#parts.store.emit({ type: "run.stopped", reason });
	}

	/** What an experiment throws is a fault outside it (git, disk, network): told, waited out, tried again. */
	async #guarded(experiment: () => Promise<void>): Promise<void> {
		const { store } = this.#parts;
		try {
			await experiment();
		} catch (error) {
			const running = inFlight(store.state);
			const message = messageOf(error);
			this.#failures++;
			await store.emit({
				type: "notice",
				level: "error",
				text: running ? `experiment ${running.n}: ${message}` : message,
			});
			if (running?.commit && this.#failures >= TRIES) {
				return this.#guarded(() => this.#decide(running.n, "crash", `the console failed ${TRIES} times: ${message}`));
			}
			const delay = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), LONGEST_RETRY_MS);
			this.#phase("waiting", running?.n ?? 0, `${message}; trying again`, Date.now() + delay);
			await setTimeout(delay, undefined, { signal: this.#controls.begin() }).catch(() => {});
		}
	}

	#phase(phase: Phase, n: number, note?: string, until?: number): void {
		this.#parts.store.tick({ type: "tick.phase", phase, n, note, until });
	}

	get #programListener(): ProgramListener {
		const { store, program } = this.#parts;
		return {
			changed: ({ version, text }) => {
				store.tick({ type: "tick.program" });
				void store.emit({ type: "program.changed", version, lines: text.trimEnd().split("\n").length });
				if (this.#proposing) this.#controls.interrupt({ kind: "program" });
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

function secondsSince(started: number): number {
	return Math.round(performance.now() - started) / 1000;
}
