/** An engine that replays a script through the real fold and answers commands with the events a real one would write. */
import type { Command, Engine, Files, LogChunk } from "../../src/engine/engine.ts";
import type { JournalEvent, NewEvent, Tick } from "../../src/journal/events.ts";
import { fold } from "../../src/journal/fold.ts";
import { initialState, type State } from "../../src/journal/state.ts";
import { commitOf, diffOf } from "./night.ts";

type Listener = (state: State, event: JournalEvent | Tick) => void;

export class ScriptedEngine implements Engine {
	state: State = initialState();
	/** Every command it was given, in order. */
	readonly commands: Command[] = [];
	readonly finished: Promise<void>;
	readonly read: Files = {
		diff: async (n) => diffOf(n),
		log: async (n, from, limit) => this.#log(n, from, limit),
		programs: async () => [...this.#programs],
	};
	readonly #programPath: string;
	#finish!: (problem?: Error) => void;
	readonly #programs: { version: string; at: string; text: string }[] = [];
	/** Epoch ms of the last event. */
	#at = 0;
	readonly #listeners = new Set<Listener>();

	constructor(programPath = "program.md") {
		this.#programPath = programPath;
		this.finished = new Promise((resolve, reject) => {
			this.#finish = (problem) => (problem ? reject(problem) : resolve());
		});
		this.finished.catch(() => {});
	}

	async programPath(): Promise<string> {
		return this.#programPath;
	}

	subscribe(listener: Listener): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/** Takes events as they come from a script. */
	play(events: Iterable<JournalEvent | Tick>): void {
		for (const event of events) {
			if (event.type === "program.changed")
				this.#programs.push({ version: event.version, at: event.at, text: programText(this.#programs.length) });
			if ("at" in event) this.#at = Math.max(this.#at, Date.parse(event.at));
			this.state = fold(this.state, event);
			for (const listener of this.#listeners) listener(this.state, event);
		}
	}

	/** Writes an event of its own, as the loop would. */
	emit(...events: (NewEvent | Tick)[]): void {
		this.play(
			events.map((event) =>
				event.type.startsWith("tick.")
					? (event as Tick)
					: ({
							v: 1,
							seq: this.state.seq + 1,
							at: new Date(this.#at + 1000).toISOString(),
							...event,
						} as JournalEvent),
			),
		);
	}

	end(problem?: Error): void {
		this.#finish(problem);
	}

	async command(command: Command): Promise<string> {
		this.commands.push(command);
		const { n } = this.state.live;
		switch (command.type) {
			case "pause":
				this.emit({ type: "run.paused", by: "human" });
				return `pausing after experiment ${n}`;
			case "resume":
				this.emit({ type: "run.resumed", by: "human" });
				return "going on";
			case "pause-now":
				this.emit(
					{ type: "run.paused", by: "human" },
					{ type: "experiment.requeued", n, reason: "paused" },
					{ type: "tick.phase", phase: "paused", n },
				);
				return `paused; experiment ${n} is trained afresh when you go on`;
			case "skip":
				this.emit({ type: "experiment.decided", n, status: "discard", reason: "skipped by hand", seconds: {} });
				return `skipped experiment ${n}`;
			case "revert":
				this.emit({ type: "experiment.reverted", n: command.n, reason: "reverted by hand" });
				return `took back experiment ${command.n}`;
			case "keep":
			case "base":
				this.emit({ type: "experiment.adopted", n: command.n, reason: "kept by hand" });
				return `the branch stands on experiment ${command.n}`;
			case "approval":
				this.emit({ type: "run.approval", on: command.on });
				return command.on ? "each proposal waits for your y or n" : "proposals are trained without asking";
			case "approve":
				this.emit({ type: "tick.phase", phase: "training", n: command.n });
				return `training experiment ${command.n}`;
			case "reject":
				this.emit({
					type: "experiment.decided",
					n: command.n,
					status: "discard",
					reason: "rejected by hand",
					seconds: {},
				});
				return `dropped experiment ${command.n}`;
			case "note":
				this.emit({ type: "note.added", text: command.text });
				return "the researcher reads it with its next brief";
			case "stop":
				this.emit({ type: "tick.stopping" }, { type: "run.stopped", reason: "stopped by hand" });
				this.end();
				return "stopped";
			case "stop-after":
				this.emit({ type: "run.stop-after", n: command.n });
				return `stopping after experiment ${command.n}`;
			case "go-on":
				this.emit({ type: "run.stop-after" });
				return "the run goes on";
		}
	}

	#log(n: number, from: number, limit: number): LogChunk {
		if (!this.state.experiments[n - 1]) throw new Error(`there is no experiment ${n}`);
		const bytes = Buffer.from(logText(n));
		const start = from < 0 ? Math.max(0, bytes.length + from) : Math.min(from, bytes.length);
		const end = Math.min(bytes.length, start + limit);
		return { text: bytes.toString("utf8", start, end), from: start, to: end, size: bytes.length };
	}
}

function logText(n: number): string {
	const steps = Array.from(
		{ length: 60 },
		(_, i) =>
			`\rstep ${`${i * 30}`.padStart(5, "0")} (${((i * 100) / 60).toFixed(1)}%) | loss: ${(4.2 - i / 50).toFixed(6)} | dt: 166ms | tok/sec: 24,611    `,
	);
	const lines = Array.from({ length: 40 }, (_, i) => `layer ${i} ready: ${commitOf(i).slice(0, 12)}`);
	return [`experiment ${n}: 5.2M parameters`, ...lines, steps.join("")].join("\n");
}

function programText(version: number): string {
	const focus = ["the learning rates", "the attention windows", "the optimizer's schedules"][version % 3];
	return `# What to look for\n\nLower val_bpb on five minutes of training. Now: look at ${focus}.\n\n## Leave alone\n\n- the tokenizer and the data\n- SOFTCAP${version > 0 ? "\n- HEAD_DIM, which did not help" : ""}\n`;
}
