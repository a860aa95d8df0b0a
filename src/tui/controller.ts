/** What keys do: they change the screen's own state or become commands to the engine. Knows no component. */
import type { Key } from "ink";
import type { Command, Engine } from "../engine/engine.ts";
import { type Experiment, inFlight, type State } from "../journal/state.ts";
import { noteProblem, oneLine } from "../loop/command.ts";
import { refusalOf } from "../loop/moves.ts";
import type { Takers } from "./actions.ts";
import { type Ask, askBase, askKeep, askQuit, askRevert, updated } from "./asks.ts";
import { type Action, bindingFor, keyNames, type Situation, type View } from "./keys.ts";
import { layout, rowsIn, type Size } from "./layout.ts";
import { FILTERS, found, isAsking, type Query, SORTS } from "./selectors.ts";
import { scrolled } from "./table.ts";
import type { Tone } from "./theme.ts";
import { freshMessage, INITIAL, narrowed, type Prompt, Store, selectedIndex, type Ui } from "./ui.ts";

/** What the controller needs of the terminal. */
export interface Hands {
	/** Closes the screen. */
	leave(): void;
	size(): Size;
	/** Epoch ms. */
	now(): number;
	/** Opens a file in the human's editor, with the terminal handed over; resolves to a sentence about it. */
	edit(path: string): Promise<string>;
	copy(text: string): void;
	/** Draws the whole screen again. */
	redraw(): void;
}

export class Controller {
	readonly ui = new Store<Ui>(INITIAL);
	readonly #engine: Engine;
	readonly #takers: Takers;
	readonly #hands: Hands;
	#rows: { experiments: readonly Experiment[]; query: Query; rows: readonly Experiment[] } | undefined;
	#interrupted = false;
	/** Asks again what is being asked. */
	#asking: (state: State) => Ask = askQuit;

	constructor(engine: Engine, takers: Takers, hands: Hands) {
		this.#engine = engine;
		this.#takers = takers;
		this.#hands = hands;
		engine.subscribe((state, event) => {
			const { ask } = this.ui.get();
			if (!ask || !("seq" in event)) return;
			const isOver = event.type === "run.stopped";
			this.ui.set({ ask: isOver ? undefined : { ...ask, ...updated(ask, this.#asking(state)) } });
		});
		const leaveIfAsked = () => {
			const { live, stopAfter } = engine.state;
			if (live.stopping || stopAfter !== undefined) hands.leave();
		};
		engine.finished.then(leaveIfAsked, (error: unknown) => {
			const failure = error instanceof Error ? error.message : String(error);
			this.ui.set({ failure });
			this.#tell(failure, "bad");
			leaveIfAsked();
		});
	}

	/** The experiments in the table, in its order. */
	rows(): readonly Experiment[] {
		const { state } = this.#engine;
		const { query } = this.ui.get();
		if (this.#rows?.experiments !== state.experiments || this.#rows.query !== query)
			this.#rows = { experiments: state.experiments, query, rows: found(state, query) };
		return this.#rows.rows;
	}

	situation(): Situation {
		const ui = this.ui.get();
		const { state } = this.#engine;
		const selected = ui.view === "overview" ? this.rows()[selectedIndex(ui, this.rows())]?.n : ui.selected;
		const stopped = state.stopped ?? ui.failure;
		return { state: { ...state, stopped }, view: ui.view, selected, narrowed: narrowed(ui) };
	}

	/** One piece of input, which may be several keys. */
	input(text: string, key: Key): void {
		for (const name of keyNames(text, key)) this.#press(name);
	}

	/** Text that was pasted is typed into a prompt; anywhere else it would be a rain of commands, so it is dropped. */
	paste(text: string): void {
		const { prompt } = this.ui.get();
		if (prompt) this.#type(prompt.text + text.replace(/[\s\p{Cc}]+/gu, " "));
	}

	#press(name: string): void {
		const { ask, prompt } = this.ui.get();
		if (name === "ctrl+c") {
			this.#interrupt();
			return;
		}
		this.#interrupted = false;
		// In a question or a prompt too: a spoilt screen is one nobody can answer.
		if (name === "ctrl+l") this.#hands.redraw();
		else if (prompt) this.#pressInPrompt(name, prompt);
		else if (ask) this.#pressInAsk(name, ask);
		else {
			this.ui.set({ message: undefined });
			const binding = bindingFor(name, this.situation());
			if (binding && !this.#takers.offer(binding.action)) this.#acts[binding.action]?.();
		}
	}

	/** What the app itself does; the rest is moving about, which is the table's when no view took it. */
	readonly #acts: Partial<Record<Action, () => unknown>> = {
		pause: () => this.#send({ type: this.#engine.state.paused ? "resume" : "pause" }),
		"pause-now": () => this.#send({ type: "pause-now" }),
		skip: () => this.#send({ type: "skip", n: inFlight(this.#engine.state)!.n }),
		approval: () => this.#send({ type: "approval", on: !this.#engine.state.approval }),
		approve: () => this.#send({ type: "approve", n: this.#engine.state.live.n }),
		reject: () => this.#send({ type: "reject", n: this.#engine.state.live.n }),
		revert: () => this.#ask(askRevert),
		base: () => this.#askMove("base", askBase),
		keep: () => this.#askMove("keep", askKeep),
		note: () => this.ui.set({ prompt: { kind: "note", text: "", before: "" } }),
		edit: () => this.#say(this.#engine.programPath().then(this.#hands.edit)),
		copy: () => this.#copy(),
		open: () => this.#show("experiment", this.#selected()),
		overview: () => this.ui.set({ view: "overview", trail: [], ...this.#letGo() }),
		log: () => this.#toggle("log"),
		program: () => this.#toggle("program"),
		notices: () => this.#toggle("notices"),
		help: () => this.#toggle("help"),
		back: () => this.#back(),
		older: () => this.ui.set({ selected: Math.max(1, this.#selected() - 1) }),
		newer: () => this.ui.set({ selected: Math.min(this.#engine.state.experiments.length, this.#selected() + 1) }),
		search: () => this.#search(),
		filter: () => this.#query({ filter: after(FILTERS, this.ui.get().query.filter) }),
		sort: () => this.#query({ sort: after(SORTS, this.ui.get().query.sort) }),
		quit: () => this.#quit(),
		up: () => this.#move(() => -1),
		down: () => this.#move(() => 1),
		"page-up": () => this.#move((page) => -page),
		"page-down": () => this.#move((page) => page),
		top: () => this.#move(() => Number.NEGATIVE_INFINITY),
		bottom: () => this.#move(() => Number.POSITIVE_INFINITY),
	};

	/** The number that a key about an experiment means; such keys work only where there is one. */
	#selected(): number {
		return this.situation().selected ?? 1;
	}

	#copy(): void {
		const commit = this.#engine.state.experiments[this.#selected() - 1]?.commit;
		if (!commit) return;
		this.#hands.copy(commit);
		this.#tell(`copied ${commit}`, "accent");
	}

	#search(): void {
		const { view, query } = this.ui.get();
		this.ui.set({ prompt: { kind: "search", text: "", before: view === "overview" ? query.search : "" } });
	}

	#quit(): void {
		const { stopped, live } = this.situation().state;
		if (stopped !== undefined) this.#hands.leave();
		else if (live.stopping) this.#tell("stopping; the screen closes once the run has ended", "accent");
		else this.#ask(askQuit);
	}

	/** Goes to a view, or back from it when it is the one on the screen. */
	#toggle(view: View): void {
		if (this.ui.get().view === view) this.#back();
		else this.#show(view, this.ui.get().selected);
	}

	#show(view: View, selected: number | undefined): void {
		const ui = this.ui.get();
		this.ui.set({ view, trail: [ui.view, ...ui.trail.filter((seen) => seen !== view)], selected });
	}

	#back(): void {
		const { view, trail } = this.ui.get();
		if (view === "overview") this.#query({ filter: "all", search: "" });
		else this.ui.set({ view: trail[0] ?? "overview", trail: trail.slice(1), ...this.#letGo() });
	}

	/** Whoever looked at the newest experiment goes on with the newest. */
	#letGo(): Partial<Ui> {
		const { query, selected } = this.ui.get();
		return query.sort === "newest" && this.rows()[0]?.n === selected ? { selected: undefined } : {};
	}

	#query(change: Partial<Query>): void {
		this.ui.set({ query: { ...this.ui.get().query, ...change }, selected: undefined, top: 0 });
	}

	/** Moves the selection in the table. On the newest row it lets go, so that the next experiment is selected in turn. */
	#move(step: (page: number) => number): void {
		const ui = this.ui.get();
		const rows = this.rows();
		if (rows.length === 0) return;
		const { width, height } = this.#hands.size();
		const { table, framed } = layout(width, height, isAsking(this.#engine.state));
		const page = rowsIn(table, framed);
		const next = Math.min(rows.length - 1, Math.max(0, selectedIndex(ui, rows) + step(page)));
		const selected = next === 0 && ui.query.sort === "newest" ? undefined : rows[next]!.n;
		this.ui.set({ selected, top: scrolled(ui.top, next, page, rows.length) });
	}

	#ask(asking: (state: State) => Ask): void {
		this.#asking = asking;
		this.ui.set({ ask: { ...asking(this.#engine.state), cursor: 0 } });
	}

	/** Asks whether the branch should move to the selected experiment, or says why it cannot. */
	#askMove(type: "base" | "keep", asking: (state: State, n: number) => Ask): void {
		const n = this.#selected();
		const refusal = refusalOf({ type, n }, this.#engine.state);
		if (refusal) this.#tell(refusal, "warn");
		else this.#ask((state) => asking(state, n));
	}

	#pressInAsk(name: string, ask: Ask & { cursor: number }): void {
		const moved = { down: 1, j: 1, up: -1, k: -1 }[name];
		const { cursor, choices } = ask;
		if (moved) this.ui.set({ ask: { ...ask, cursor: Math.min(choices.length - 1, Math.max(0, cursor + moved)) } });
		else if (name === "esc" || name === "n" || name === "q") this.ui.set({ ask: undefined });
		else {
			const isYes = name === "enter" || name === "y";
			const chosen = isYes ? choices[cursor] : choices.find((choice) => choice.key === name);
			if (!chosen?.command) return;
			this.ui.set({ ask: undefined });
			void this.#send(chosen.command);
		}
	}

	#pressInPrompt(name: string, { kind, text, before }: Prompt): void {
		if (name === "enter") this.#submit();
		else if (name === "backspace") this.#type(Array.from(text).slice(0, -1).join(""));
		else if (name === "ctrl+u") this.#type("");
		else if (name === "ctrl+w") this.#type(text.replace(/\S*\s*$/, ""));
		else if (name === "space") this.#type(`${text} `);
		else if (Array.from(name).length === 1) this.#type(text + name);
		else if (name === "esc") {
			if (kind === "search" && this.ui.get().view === "overview") this.#query({ search: before });
			this.ui.set({ prompt: undefined });
		}
	}

	/** In the table a search takes effect as it is typed. */
	#type(text: string): void {
		const { prompt, view } = this.ui.get();
		this.ui.set({ prompt: { ...prompt!, text } });
		if (prompt!.kind === "search" && view === "overview") this.#query({ search: text });
	}

	#submit(): void {
		const { kind, text } = this.ui.get().prompt!;
		const note = oneLine(text);
		const problem = kind === "note" && note ? noteProblem(note) : undefined;
		if (problem) {
			this.#tell(problem, "bad");
			return;
		}
		this.ui.set({ prompt: undefined });
		if (kind === "search") this.#takers.offer({ search: text });
		else if (note) void this.#send({ type: "note", text: note });
	}

	#interrupt(): void {
		const isSecond = this.#interrupted && freshMessage(this.ui.get(), this.#hands.now());
		if (isSecond || this.situation().state.stopped !== undefined) {
			this.#hands.leave();
			return;
		}
		this.#interrupted = true;
		this.ui.set({ ask: undefined, prompt: undefined });
		this.#tell("Ctrl-C again stops the run and leaves; it carries on with the same tag", "warn");
	}

	#send(command: Command): Promise<void> {
		return this.#say(this.#engine.command(command));
	}

	async #say(answer: Promise<string>): Promise<void> {
		try {
			this.#tell(await answer, "accent");
		} catch (error) {
			this.#tell(error instanceof Error ? error.message : String(error), "bad");
		}
	}

	#tell(text: string, tone: Tone): void {
		this.ui.set({ message: { text, tone, at: this.#hands.now() } });
	}
}

function after<T>(list: readonly T[], item: T): T {
	return list[(list.indexOf(item) + 1) % list.length]!;
}
