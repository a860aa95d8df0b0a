/**
 * One experiment from proposal to decision. Every step is in the journal before it has consequences, so that another
 * process can take over after any of them.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { experimentRef, repairedRef } from "../git/repository.ts";
import type { Worktree } from "../git/worktree.ts";
import type { Phase, Status } from "../journal/events.ts";
import { type Experiment, inFlight, standingOn } from "../journal/state.ts";
import type { Program, ProgramText } from "../program/program.ts";
import type { Proposal } from "../researcher/researcher.ts";
import { preflight } from "../runner/preflight.ts";
import { modelPath, type Trainer } from "../runner/trainer.ts";
import { evidenceOf, type Planned, planBrief } from "./brief.ts";
import type { Controls } from "./controls.ts";
import type { DraftAhead } from "./draft-ahead.ts";
import { judge } from "./gate.ts";
import { type Asking, askForProposal, askForRepair, Writing } from "./proposal.ts";
import { experimentDir, settle } from "./reconcile.ts";
import { LimitReached } from "./spending.ts";

export interface ExperimentParts extends Asking {
	worktree: Worktree;
	program: Program;
	trainer: Trainer;
	/** Absent when proposals are not drafted ahead. */
	ahead?: DraftAhead;
}

/** An experiment that ends here, with this row. */
class Ended extends Error {
	readonly status: Status;
	constructor(status: Status, reason: string) {
		super(reason);
		this.status = status;
	}
}

export class Experiments {
	readonly #parts: ExperimentParts;
	readonly #controls: Controls;
	#proposing = false;

	constructor(parts: ExperimentParts, controls: Controls) {
		this.#parts = parts;
		this.#controls = controls;
	}

	/** A proposal is being written right now. */
	get proposing(): boolean {
		return this.#proposing;
	}

	/** Runs the experiment in flight from where it stands, or the next one. Throws for faults outside the experiment. */
	async next(): Promise<void> {
		const { store } = this.#parts;
		this.#controls.begin();
		const n = inFlight(store.state)?.n ?? store.state.experiments.length + 1;
		try {
			if (!inFlight(store.state)?.commit) await (n === 1 ? this.#baseline() : this.#propose(n));
			const { value } = await this.#measureOrRepair(n);
			this.phase("deciding", n);
			const { status, reason } = judge(value!, standingOn(store.state)?.value, store.state.metric);
			await this.decide(n, status, reason);
		} catch (error) {
			if (error instanceof Ended) return this.decide(n, error.status, error.message);
			if (error instanceof LimitReached) return;
			const interruption = this.#controls.interruption;
			if (interruption?.kind === "discard") return this.decide(n, "discard", interruption.reason);
			if (interruption?.kind === "set-aside") {
				return store.emit({ type: "experiment.requeued", n, reason: "paused by hand" });
			}
			if (interruption?.kind !== "stop") throw error;
		}
	}

	async decide(n: number, status: Status, reason: string): Promise<void> {
		const { store, dir } = this.#parts;
		const previous = store.state.best;
		await store.emit({ type: "experiment.decided", n, status, reason, seconds: {} });
		await settle(this.#parts, store.state.experiments[n - 1]!);
		// A night of models would fill the disk; the best one's is worth keeping.
		const superseded = store.state.best === n ? previous : n;
		if (superseded) rmSync(modelPath(experimentDir(dir, superseded)), { recursive: true, force: true });
	}

	phase(phase: Phase, n: number, note?: string, until?: number): void {
		this.#parts.store.tick({ type: "tick.phase", phase, n, note, until });
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

	/** Commits a proposal for experiment `n`. */
	async #propose(n: number): Promise<void> {
		const { store, researcher, ahead } = this.#parts;
		const started = performance.now();
		const { planned, proposal } = await this.#steered(async (program) => {
			const planned = await planBrief(this.#parts, n, program, await ahead?.plan(n, program));
			const parent = standingOn(store.state)?.commit ?? store.state.base;
			const { basis } = planned;
			await store.emit({
				type: "experiment.started",
				n,
				parent,
				...(basis === parent ? {} : { basis }),
				program: program.version,
				researcher: researcher.name,
				mode: planned.brief.plan?.mode,
			});
			return { planned, proposal: await this.#ask(planned) };
		});
		await this.#commit(n, planned, proposal, started);
	}

	/** Asks under the present program.md and notes, and afresh when the human changes them meanwhile. */
	async #steered<T>(ask: (program: ProgramText) => Promise<T>): Promise<T> {
		const { program } = this.#parts;
		const controls = this.#controls;
		for (;;) {
			await program.refresh();
			this.#proposing = true;
			try {
				const answer = await ask(program.current);
				await program.refresh();
				controls.signal.throwIfAborted();
				return answer;
			} catch (error) {
				if (controls.interruption?.kind !== "steering") throw error;
				controls.begin();
			} finally {
				this.#proposing = false;
			}
		}
	}

	/** The proposal drafted ahead where one fits, or a new one. */
	async #ask(planned: Planned): Promise<Proposal> {
		const { store, ahead } = this.#parts;
		const { signal } = this.#controls;
		const drafted = await ahead?.take(planned, signal);
		if (drafted) return drafted.proposal;
		return askForProposal(this.#parts, planned, signal, new Writing(store, planned.brief.n).attend());
	}

	async #commit(n: number, { brief, basis }: Planned, proposal: Proposal, started: number): Promise<void> {
		const { store, lab, repository, worktree, tag, researcher } = this.#parts;
		const { title, hypothesis, changes } = proposal;
		const experiment = store.state.experiments[n - 1]!;
		const { parent, commit: crashed } = experiment;
		if (crashed) await repository.setRef(repairedRef(tag, n, experiment.repairs ?? 0), crashed);
		await store.emit({
			type: "experiment.proposed",
			n,
			title,
			hypothesis,
			changes,
			seconds: secondsSince(started),
			expectedGain: proposal.expectedGain,
			researcher: proposal.researcher,
			program: brief.program.version === experiment.program ? undefined : brief.program.version,
		});
		const unheard = store.state.notes.filter(({ heardBy }) => heardBy === undefined);
		const count = unheard.filter((note) => brief.notes?.includes(note)).length;
		if (count > 0) await store.emit({ type: "note.heard", n, count });
		const author = proposal.researcher ?? researcher.name;
		const message = [title, hypothesis, `Experiment: ${n}\nProgram: ${brief.program.version}\nResearcher: ${author}`];
		// A restart drafts from other files than the parent's: all the editable ones come from there.
		const files = new Map(basis === parent ? [] : brief.files.map(({ path, text }) => [path, text]));
		for (const { path, text } of proposal.files) files.set(path, text);
		const committed = await worktree.commit(
			parent,
			lab.edit.flatMap((path) => (files.has(path) ? [{ path, text: files.get(path)! }] : [])),
			message.filter(Boolean).join("\n\n"),
			experimentRef(tag, n),
		);
		await store.emit({ type: "experiment.committed", n, ...committed });
	}

	/** A crash goes back to its author, who may repair it, before it becomes a row. */
	async #measureOrRepair(n: number): Promise<Experiment> {
		const { store } = this.#parts;
		for (;;) {
			const experiment = store.state.experiments[n - 1]!;
			try {
				return await this.#measure(experiment);
			} catch (error) {
				if (!(error instanceof Ended) || error.status !== "crash" || n === 1) throw error;
				if (!(await this.#repair(experiment, error.message))) throw error;
			}
		}
	}

	async #repair(experiment: Experiment, reason: string): Promise<boolean> {
		const { store, lab, repository, researcher } = this.#parts;
		if (!researcher.repair) return false;
		const { n, commit, parent, title, hypothesis, changes, repairs = 0 } = experiment;
		const started = performance.now();
		const files = await Promise.all(
			lab.edit.map(async (path) => ({ path, text: await repository.show(commit!, path) })),
		);
		const log = await evidenceOf(this.#parts, parent).log(n);
		const crash = { n, proposal: { title, hypothesis, files, changes }, reason, log, attempt: repairs + 1 };
		try {
			const { planned, repaired } = await this.#steered(async (program) => {
				const planned = await planBrief(this.#parts, n, program);
				const writing = new Writing(store, n, `repairing: ${reason}`).attend();
				return { planned, repaired: await askForRepair(this.#parts, planned, crash, this.#controls.signal, writing) };
			});
			if (!repaired) return false;
			await store.emit({
				type: "notice",
				level: "info",
				text: `experiment ${n} crashed (${reason}) and was repaired by its author`,
			});
			await this.#commit(n, planned, repaired, started);
			return true;
		} catch (error) {
			if (this.#controls.signal.aborted) throw error;
			await store.emit({
				type: "notice",
				level: "warn",
				text: `experiment ${n} could not be repaired: ${(error as Error).message}`,
			});
			return false;
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
		worktree.handOver();

		const trainedBefore = experiment.seconds.train !== undefined && existsSync(modelPath(out));
		if (!trainedBefore) await this.#train(n, commit!, out);
		this.phase("evaluating", n);
		const measured = await trainer.evaluate(worktree.labDir, out, signal);
		if ("crash" in measured) throw new Ended("crash", measured.crash);
		await store.emit({ type: "experiment.measured", n, value: measured.value, seconds: measured.seconds });
		return store.state.experiments[n - 1]!;
	}

	async #train(n: number, commit: string, out: string): Promise<void> {
		const { store, lab, repository, worktree, trainer, program, ahead, spending } = this.#parts;
		this.phase("preflight", n);
		const started = performance.now();
		for (const path of lab.train === "built-in" ? lab.edit : []) {
			const refusal = preflight(path, await repository.show(commit, path));
			if (refusal) throw new Ended("crash", refusal);
		}
		const checked = secondsSince(started);
		if (store.state.approval && n > 1) {
			this.phase("approving", n);
			const asked = performance.now();
			const isApproved = await this.#controls
				.approval(n, spending.signal)
				.finally(() => store.emit({ type: "experiment.waited", n, seconds: secondsSince(asked) }));
			if (!isApproved) throw new Ended("discard", "rejected by hand");
		}
		this.phase("training", n);
		const isLast = !spending.allowsAnother || store.state.stopAfter !== undefined;
		if (ahead && ahead.n !== n + 1 && !isLast) ahead.begin(n + 1, program.current);
		rmSync(modelPath(out), { recursive: true, force: true });
		const trained = await trainer.train(worktree.labDir, out, this.#controls.signal, (progress) =>
			store.tick({ type: "tick.training", n, progress }),
		);
		if ("crash" in trained) throw new Ended("crash", trained.crash);
		const seconds = { preflight: checked, ...trained.seconds };
		await store.emit({ type: "experiment.trained", n, seconds, memoryGb: trained.memoryGb, summary: trained.summary });
	}
}

function secondsSince(started: number): number {
	return Math.round(performance.now() - started) / 1000;
}
