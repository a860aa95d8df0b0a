/**
 * One experiment from proposal to decision. Every step is in the journal before it has consequences, so that another
 * process can take over after any of them.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { messageOf } from "../errors.ts";
import { experimentRef, repairedRef } from "../git/repository.ts";
import type { Phase, Status } from "../journal/events.ts";
import type { ExperimentDir } from "../journal/run-dir.ts";
import { type Experiment, inFlight, standingOn } from "../journal/state.ts";
import type { ProgramText } from "../program/program.ts";
import { TITLE_LIMIT } from "../researcher/check-proposal.ts";
import type { Proposal } from "../researcher/researcher.ts";
import { preflight } from "../runner/preflight.ts";
import { oneLine } from "../text.ts";
import { type Planned, planBrief } from "./brief.ts";
import { type Cause, Interruption } from "./controls.ts";
import type { DraftAhead } from "./draft-ahead.ts";
import { evidenceOf } from "./evidence.ts";
import { judge } from "./gate.ts";
import { LiveDraft } from "./live-draft.ts";
import { askForProposal, askForRepair } from "./proposal.ts";
import { applyDecision } from "./reconcile.ts";
import type { RunContext } from "./run-context.ts";
import { LimitReached } from "./spending.ts";

/** How an experiment ends, or why it does not end yet. */
type Outcome =
	| { kind: "measured"; value: number }
	| { kind: "crash"; reason: string }
	| { kind: "discard"; reason: string }
	/** Interrupted by a pause: it is trained again from its start. */
	| { kind: "set-aside" }
	/** The run ends first: the next start carries on with it. */
	| { kind: "stopped" };

/** The outcome of one try at training and evaluating. */
type Measurement = Extract<Outcome, { kind: "measured" | "crash" | "discard" }>;

export class ExperimentRunner {
	readonly #run: RunContext;
	readonly #ahead?: DraftAhead;
	#proposing = false;

	/** @param ahead absent when proposals are not drafted ahead */
	constructor(run: RunContext, ahead?: DraftAhead) {
		this.#run = run;
		this.#ahead = ahead;
	}

	/** A proposal is being written right now. */
	get proposing(): boolean {
		return this.#proposing;
	}

	/** Runs the experiment in flight from where it stands, or the next one. Throws for faults outside the experiment. */
	async next(): Promise<void> {
		const { store, controls } = this.#run;
		controls.begin();
		const n = inFlight(store.state)?.n ?? store.state.experiments.length + 1;
		await this.#conclude(n, await this.#experiment(n).catch(interrupted));
	}

	/** Carries out what a human asked of experiment `n` while nothing was being done about it. */
	async heed(n: number, cause: Cause): Promise<void> {
		await this.#conclude(n, outcomeOf(cause));
	}

	async decide(n: number, status: Status, reason: string): Promise<void> {
		const { store, dir } = this.#run;
		const previous = store.state.best;
		const { best, experiments } = await store.emit({ type: "experiment.decided", n, status, reason, seconds: {} });
		await applyDecision(this.#run, experiments[n - 1]!);
		// A night of models would fill the disk; only the best one's is kept.
		const superseded = best === n ? previous : n;
		if (superseded) rmSync(dir.experiment(superseded).model, { recursive: true, force: true });
	}

	phase(phase: Phase, n: number, note?: string, until?: number): void {
		this.#run.store.tick({ type: "tick.phase", phase, n, note, until });
	}

	async #experiment(n: number): Promise<Outcome> {
		const { store } = this.#run;
		if (!inFlight(store.state)?.commit) await (n === 1 ? this.#baseline() : this.#propose(n));
		return this.#measureOrRepair(n);
	}

	async #conclude(n: number, outcome: Outcome): Promise<void> {
		const { store } = this.#run;
		switch (outcome.kind) {
			case "measured": {
				this.phase("deciding", n);
				const { status, reason } = judge(outcome.value, standingOn(store.state)?.value, store.state.metric);
				return this.decide(n, status, reason);
			}
			case "crash":
			case "discard":
				return this.decide(n, outcome.kind, outcome.reason);
			case "set-aside":
				await store.emit({ type: "experiment.requeued", n, reason: "paused by hand" });
				return;
			case "stopped":
				return;
		}
	}

	/** Experiment 1 measures the training file as the user committed it. */
	async #baseline(): Promise<void> {
		const { store, repository, program, tag } = this.#run;
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
		const { store, researcher } = this.#run;
		const started = performance.now();
		const { planned, proposal } = await this.#steered(async (program) => {
			const planned = await planBrief(this.#run, n, program, await this.#ahead?.plan(n, program));
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

	/** Asks under the present program.md and notes, and again when the human changes them meanwhile. */
	async #steered<T>(ask: (program: ProgramText) => Promise<T>): Promise<T> {
		const { program, controls } = this.#run;
		for (;;) {
			await program.refresh();
			this.#proposing = true;
			try {
				const answer = await ask(program.current);
				await program.refresh();
				controls.signal.throwIfAborted();
				return answer;
			} catch (error) {
				if (!(error instanceof Interruption) || error.cause.kind !== "steering") throw error;
				controls.begin();
			} finally {
				this.#proposing = false;
			}
		}
	}

	/** The proposal drafted ahead where one fits, or a new one. */
	async #ask(planned: Planned): Promise<Proposal> {
		const { store, controls } = this.#run;
		const { signal } = controls;
		const drafted = await this.#ahead?.take(planned, signal);
		if (drafted) return drafted.proposal;
		return askForProposal(this.#run, planned, signal, new LiveDraft(store, planned.brief.n).awaited());
	}

	async #commit(n: number, { brief, basis }: Planned, proposal: Proposal, started: number): Promise<void> {
		const { store, lab, repository, worktree, tag, researcher } = this.#run;
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
	async #measureOrRepair(n: number): Promise<Measurement> {
		const { store } = this.#run;
		for (;;) {
			const experiment = store.state.experiments[n - 1]!;
			const outcome = await this.#measure(experiment);
			if (outcome.kind !== "crash" || n === 1) return outcome;
			if (!(await this.#repair(experiment, outcome.reason))) return outcome;
		}
	}

	async #repair(experiment: Experiment, reason: string): Promise<boolean> {
		const { store, lab, repository, researcher, controls } = this.#run;
		if (!researcher.repair) return false;
		const { n, commit, parent, title, hypothesis, changes, repairs = 0 } = experiment;
		const started = performance.now();
		const files = await Promise.all(
			lab.edit.map(async (path) => ({ path, text: await repository.show(commit!, path) })),
		);
		const log = await evidenceOf(this.#run, parent).log(n);
		const crash = { n, proposal: { title, hypothesis, files, changes }, reason, log, attempt: repairs + 1 };
		try {
			const { planned, repaired } = await this.#steered(async (program) => {
				const planned = await planBrief(this.#run, n, program);
				const live = new LiveDraft(store, n, `repairing: ${reason}`).awaited();
				return { planned, repaired: await askForRepair(this.#run, planned, crash, controls.signal, live) };
			});
			if (!repaired) return false;
			await store.emit({
				type: "notice",
				level: "info",
				text: `experiment ${n} crashed (${reason}) and was repaired by its author`,
			});
			await this.#commit(n, planned, { ...repaired, title: repairedTitle(title, repaired.title) }, started);
			return true;
		} catch (error) {
			if (error instanceof Interruption) throw error;
			const text = `experiment ${n} could not be repaired: ${messageOf(error)}`;
			await store.emit({ type: "notice", level: "warn", text });
			return false;
		}
	}

	/** Trains and evaluates a committed experiment, as far as an earlier process has not done so already. */
	async #measure(experiment: Experiment): Promise<Measurement> {
		const { store, repository, worktree, trainer, dir, controls } = this.#run;
		const { n, commit, parent, title, hypothesis } = experiment;
		if (experiment.value !== undefined) return { kind: "measured", value: experiment.value };
		const out = dir.experiment(n).make();
		const diff = await repository.diff(parent, commit!);
		writeFileSync(out.proposal, diff);
		store.tick({ type: "tick.draft", n, title, hypothesis, diff });
		await worktree.checkout(commit!);
		worktree.handOver();

		const trainedBefore = experiment.seconds.train !== undefined && existsSync(out.model);
		const ended = trainedBefore ? undefined : await this.#train(n, commit!, out);
		if (ended) return ended;
		this.phase("evaluating", n);
		const measured = await trainer.evaluate(worktree.labDir, out, controls.signal);
		if ("crash" in measured) return { kind: "crash", reason: measured.crash };
		const { value, seconds } = measured;
		await store.emit({ type: "experiment.measured", n, value, seconds });
		return { kind: "measured", value };
	}

	/** Trains a commit; returns how the experiment ended if it did. */
	async #train(n: number, commit: string, out: ExperimentDir): Promise<Measurement | undefined> {
		const { store, lab, repository, worktree, trainer, program, spending, controls } = this.#run;
		this.phase("preflight", n);
		const started = performance.now();
		for (const path of lab.train === "built-in" ? lab.edit : []) {
			const refusal = preflight(path, await repository.show(commit, path));
			if (refusal) return { kind: "crash", reason: refusal };
		}
		const checked = secondsSince(started);
		if (store.state.approval && n > 1 && !(await this.#approved(n)))
			return { kind: "discard", reason: "rejected by hand" };
		this.phase("training", n);
		const isLast = !spending.allowsAnother || store.state.stopAfter !== undefined;
		if (this.#ahead && this.#ahead.n !== n + 1 && !isLast) this.#ahead.begin(n + 1, program.current);
		rmSync(out.model, { recursive: true, force: true });
		const trained = await trainer.train(worktree.labDir, out, controls.signal, (progress) =>
			store.tick({ type: "tick.training", n, progress }),
		);
		if ("crash" in trained) return { kind: "crash", reason: trained.crash };
		const seconds = { preflight: checked, ...trained.seconds };
		await store.emit({ type: "experiment.trained", n, seconds, memoryGb: trained.memoryGb, summary: trained.summary });
		return undefined;
	}

	/** Waits for the human's answer to proposal `n`. */
	async #approved(n: number): Promise<boolean> {
		const { store, controls, spending } = this.#run;
		this.phase("approving", n);
		const asked = performance.now();
		try {
			return await controls.approval(n, spending.signal);
		} finally {
			await store.emit({ type: "experiment.waited", n, seconds: secondsSince(asked) });
		}
	}
}

/** The row of a repaired experiment names what was tried first, too: a repair may be of another idea. */
function repairedTitle(title: string, repair: string): string {
	const first = title.replace(/ \(repaired: .*/, "");
	return repair === first ? title : oneLine(`${first} (repaired: ${repair})`, TITLE_LIMIT);
}

/** The outcome of an experiment that was interrupted. Rejects with any other error: a fault outside the experiment. */
function interrupted(error: unknown): Outcome {
	if (error instanceof Interruption) return outcomeOf(error.cause);
	if (error instanceof LimitReached) return { kind: "stopped" };
	throw error;
}

function outcomeOf(cause: Cause): Outcome {
	switch (cause.kind) {
		case "discard":
		case "set-aside":
			return cause;
		case "steering":
		case "stop":
			return { kind: "stopped" };
	}
}

function secondsSince(started: number): number {
	return Math.round(performance.now() - started) / 1000;
}
