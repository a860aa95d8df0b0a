/**
 * An engine for the console's tests: the real store on a journal, the real command handler and its controls. The
 * researcher, the trainer and the evaluation are scripted, so that a test decides when an experiment ends and with
 * which result. scripted-engine.test.ts compares its loop with the real one.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command, Engine, Files, ProgramVersion } from "../../src/engine/engine.ts";
import type { JournalEvent, NewEvent, Phase, Tick, TrainingProgress } from "../../src/journal/events.ts";
import { inFlight, type State, standingOn } from "../../src/journal/state.ts";
import { type Listener, Store } from "../../src/journal/store.ts";
import { Controls } from "../../src/loop/controls.ts";
import { judge, type Verdict } from "../../src/loop/gate.ts";
import { droppedBy, execute } from "../../src/loop/handle-command.ts";
import { type Move, refusalOf } from "../../src/loop/moves.ts";
import {
	BUDGET_SECONDS,
	commitOf,
	journalOf,
	progressUpTo,
	proposalEvents,
	proposalOf,
	type ScriptedRun,
	trainedBy,
	trainedEvent,
} from "./scripted-run.ts";

type Outcome = Verdict | { status: "crash"; reason: string };

export interface ScriptedEngineOptions extends Pick<ScriptedRun, "proposal" | "trained"> {
	programPath?: string;
	programs?: ProgramVersion[];
}

export class ScriptedEngine implements Engine {
	/** Every command given, in order. */
	readonly commands: Command[] = [];
	readonly finished: Promise<void>;
	readonly read: Files;
	readonly #store: Store;
	readonly #controls = new Controls();
	readonly #options: ScriptedEngineOptions;
	readonly #finished = Promise.withResolvers<void>();
	#measured = Promise.withResolvers<Outcome>();

	constructor(store: Store, options: ScriptedEngineOptions = {}) {
		this.#store = store;
		this.#options = options;
		this.finished = this.#finished.promise;
		this.finished.catch(() => {});
		const { programs = [] } = options;
		this.read = {
			diff: async (n) => this.#proposal(n).diff,
			log: async (n, from, limit) => part(logText(n), from, limit),
			programs: async () => programs,
		};
	}

	get state(): State {
		return this.#store.state;
	}

	subscribe(listener: Listener): () => void {
		return this.#store.subscribe(listener);
	}

	command(command: Command): Promise<string> {
		this.commands.push(command);
		return execute(command, this.#store, this.#controls);
	}

	async programPath(): Promise<string> {
		return this.#options.programPath ?? "program.md";
	}

	/** Starts the loop; experiments train until the test ends them. */
	run(): void {
		this.#showBestCurve();
		this.#loop().then(this.#finished.resolve, this.#finished.reject);
	}

	/** The trainer of the experiment in flight reports its progress up to this share of the budget. */
	train(share: number): void {
		for (const progress of progressUpTo(this.state.live.n, share * BUDGET_SECONDS)) this.report(progress);
	}

	report(progress: TrainingProgress): void {
		this.#store.tick({ type: "tick.training", n: this.state.live.n, progress });
	}

	/** The experiment in flight is trained and measured. */
	async measure(value: number): Promise<void> {
		const { n } = this.state.live;
		const { trained = trainedBy } = this.#options;
		await this.#store.emit(trainedEvent(n, trained(n)));
		this.#phase("evaluating", n);
		await this.#store.emit({ type: "experiment.measured", n, value, seconds: 3.8 });
		this.#phase("deciding", n);
		this.#measured.resolve(judge(value, standingOn(this.state)?.value, this.state.metric));
		await settled();
	}

	async crash(reason: string): Promise<void> {
		this.#measured.resolve({ status: "crash", reason });
		await settled();
	}

	/** What else happens: events for the journal, and ticks. */
	emit(...events: (NewEvent | Tick)[]): void {
		for (const event of events) {
			if (isTick(event)) this.#store.tick(event);
			else void this.#store.emit(event);
		}
	}

	/** The run has reached a limit. */
	end(reason: string): void {
		this.emit({ type: "run.stopped", reason });
		this.#finished.resolve();
	}

	/** The engine fails. */
	fail(error: Error): void {
		this.#finished.reject(error);
	}

	close(): void {
		this.#store.close();
	}

	#proposal(n: number) {
		const { proposal = proposalOf } = this.#options;
		return proposal(n);
	}

	// Each of the following methods does what its namesake in src/loop/loop.ts or experiment-runner.ts does.

	async #loop(): Promise<void> {
		const { moves } = this.#controls;
		while (!this.#controls.stopping) {
			const move = moves.shift();
			if (move) await this.#move(move);
			else if (this.#isLast()) break;
			else if (this.state.paused) await this.#paused();
			else await this.#next();
		}
		await this.#store.emit({ type: "run.stopped", reason: "stopped by hand" });
	}

	#isLast(): boolean {
		return this.state.stopAfter !== undefined && (!inFlight(this.state) || this.state.setAside);
	}

	async #move(move: Move): Promise<void> {
		const { type, n } = move;
		const refusal = refusalOf(move, this.state);
		if (refusal) return this.emit({ type: "notice", level: "warn", text: `the branch was not moved: ${refusal}` });
		if (type === "revert") this.emit({ type: "experiment.reverted", n, reason: "reverted by hand" });
		else {
			const reason = type === "keep" ? "kept by hand" : "made the base by hand";
			this.emit({ type: "experiment.adopted", n, reason });
		}
		this.#showBestCurve();
		await this.#drop(droppedBy(move));
	}

	async #drop(reason: string): Promise<void> {
		const running = inFlight(this.state);
		if (running) await this.#decide(running.n, { status: "discard", reason });
	}

	async #paused(): Promise<void> {
		this.#controls.begin();
		this.#phase("paused", this.state.experiments.length);
		await this.#controls.woken();
		const { pending, moves } = this.#controls;
		if (pending?.kind === "discard" && moves.length === 0) await this.#drop(pending.reason);
	}

	async #next(): Promise<void> {
		const signal = this.#controls.begin();
		const n = inFlight(this.state)?.n ?? this.state.experiments.length + 1;
		if (!inFlight(this.state)) await this.#propose(n);
		const outcome = await this.#measure(n, signal);
		if (outcome) return this.#decide(n, outcome);
		const { pending } = this.#controls;
		if (pending?.kind === "discard") await this.#decide(n, { status: "discard", reason: pending.reason });
		if (pending?.kind === "set-aside") this.emit({ type: "experiment.requeued", n, reason: "paused by hand" });
	}

	async #propose(n: number): Promise<void> {
		const { state } = this;
		const parent = standingOn(state)?.commit ?? state.base;
		const [started, proposed, committed] = proposalEvents(n, parent, state.program.version, this.#proposal(n));
		await this.#store.emit(started);
		if (n > 1) this.#phase("proposing", n);
		await this.#store.emit(proposed);
		await this.#store.emit(committed);
	}

	/** The outcome of the experiment; undefined when it was interrupted. */
	async #measure(n: number, signal: AbortSignal): Promise<Outcome | undefined> {
		const { title, hypothesis, diff } = this.#proposal(n);
		this.#store.tick({ type: "tick.draft", n, title, hypothesis, diff });
		this.#phase("preflight", n);
		try {
			if (this.state.approval && n > 1) {
				this.#phase("approving", n);
				const asked = Date.now();
				const isApproved = await this.#controls.approval(n, signal).finally(() => {
					this.emit({ type: "experiment.waited", n, seconds: (Date.now() - asked) / 1000 });
				});
				if (!isApproved) return { status: "discard", reason: "rejected by hand" };
			}
			this.#phase("training", n);
			this.#measured = Promise.withResolvers<Outcome>();
			signal.addEventListener("abort", () => this.#measured.reject(signal.reason), { once: true });
			return await this.#measured.promise;
		} catch {
			return undefined;
		}
	}

	async #decide(n: number, { status, reason }: Outcome): Promise<void> {
		await this.#store.emit({ type: "experiment.decided", n, status, reason, seconds: {} });
		this.#showBestCurve();
	}

	/** The loop reads the curve from the log of the best run, unless that was trained since the start. */
	#showBestCurve(): void {
		const { best, live } = this.state;
		if (live.bestCurve.length > 0 || best === 0) return;
		const progress = progressUpTo(best, BUDGET_SECONDS);
		this.#store.tick({ type: "tick.best-curve", curve: progress.map(({ elapsed, loss }) => [elapsed, loss]) });
	}

	#phase(phase: Phase, n: number): void {
		this.#store.tick({ type: "tick.phase", phase, n });
	}
}

/** An engine on a run that `journalOf` has written; its loop is not started yet. */
export function openScriptedEngine(run: ScriptedRun, programPath?: string): ScriptedEngine {
	const events = [...journalOf(run)];
	const dir = mkdtempSync(join(tmpdir(), "autoresearch-scripted-"));
	const journal = join(dir, "journal.jsonl");
	writeJournal(journal, events);
	const store = new Store(journal);
	// The store keeps the file open, so no file is left behind, however this process ends.
	rmSync(dir, { recursive: true });
	const { proposal, trained } = run;
	return new ScriptedEngine(store, { proposal, trained, programPath, programs: programsOf(events) });
}

export function writeJournal(path: string, events: Iterable<JournalEvent>): void {
	writeFileSync(path, Array.from(events, (event) => `${JSON.stringify(event)}\n`).join(""));
}

/** Resolves when the loop has done what it can do without another result or command. */
export function settled(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

function isTick(event: NewEvent | Tick): event is Tick {
	return event.type.startsWith("tick.");
}

function part(text: string, from: number, limit: number) {
	const bytes = Buffer.from(text);
	const start = from < 0 ? Math.max(0, bytes.length + from) : Math.min(from, bytes.length);
	const end = Math.min(bytes.length, start + limit);
	return { text: bytes.toString("utf8", start, end), from: start, to: end, size: bytes.length };
}

function logText(n: number): string {
	const steps = Array.from({ length: 60 }, (_, i) => {
		const [step, share, loss] = [`${i * 30}`.padStart(5, "0"), ((i * 100) / 60).toFixed(1), (4.2 - i / 50).toFixed(6)];
		return `\rstep ${step} (${share}%) | loss: ${loss} | dt: 166ms | tok/sec: 24,611    `;
	});
	const lines = Array.from({ length: 40 }, (_, i) => `layer ${i} ready: ${commitOf(i).slice(0, 12)}`);
	return [`experiment ${n}: 5.2M parameters`, ...lines, steps.join("")].join("\n");
}

function programsOf(events: readonly JournalEvent[]): ProgramVersion[] {
	return events
		.filter((event) => event.type === "program.changed")
		.map(({ version, at }, i) => ({ version, at, text: programText(i) }));
}

function programText(version: number): string {
	const focus = ["the learning rates", "the attention windows", "the optimizer's schedules"][version % 3];
	return [
		"# What to look for",
		"",
		`Lower val_bpb on five minutes of training. Now: look at ${focus}.`,
		"",
		"## Leave alone",
		"",
		"- the tokenizer and the data",
		"- SOFTCAP",
		...(version > 0 ? ["- HEAD_DIM, which did not help"] : []),
		"",
	].join("\n");
}
