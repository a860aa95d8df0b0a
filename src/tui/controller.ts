/**
 * What keys do: they change the state of the screen (ui.ts) or become commands to the engine. It imports no component,
 * so it is tested without a terminal.
 */
import type { Key } from "ink";
import type { Command, Engine } from "../engine/engine.ts";
import { messageOf } from "../errors.ts";
import { type Experiment, inFlight, type State } from "../journal/state.ts";
import { noteProblem } from "../loop/command.ts";
import { refusalOf } from "../loop/moves.ts";
import { oneLine } from "../text.ts";
import type { ActionHandlers } from "./actions.ts";
import {
	type Confirmation,
	confirmBase,
	confirmKeep,
	confirmQuit,
	confirmRevert,
	updateConfirmation,
} from "./confirmations.ts";
import { bindingFor, type KeyAction, type KeyContext, keyNames, type View } from "./keys.ts";
import { layout, rowsIn, type ScreenSize } from "./layout.ts";
import { awaitsApproval, FILTERS, filterExperiments, type Query, SORTS } from "./selectors.ts";
import { scrolled } from "./table.ts";
import type { Tone } from "./theme.ts";
import { freshMessage, INITIAL, isFiltered, Observable, type Prompt, selectedIndex, type Ui } from "./ui.ts";

/** What the controller needs from the terminal. */
export interface Host {
	/** Closes the screen. */
	leave(): void;
	size(): ScreenSize;
	/** Epoch ms. */
	now(): number;
	/** Opens a file in the user's editor, which has the terminal meanwhile; resolves to a sentence that says so. */
	edit(path: string): Promise<string>;
	copy(text: string): void;
	/** Draws the whole screen again. */
	redraw(): void;
}

export class Controller {
	readonly ui = new Observable<Ui>(INITIAL);
	readonly #engine: Engine;
	readonly #handlers: ActionHandlers;
	readonly #host: Host;
	#rows: { experiments: readonly Experiment[]; query: Query; rows: readonly Experiment[] } | undefined;
	#interrupted = false;
	/** Asks the question on the screen again, for a later state. */
	#confirm: (state: State) => Confirmation = confirmQuit;

	constructor(engine: Engine, handlers: ActionHandlers, host: Host) {
		this.#engine = engine;
		this.#handlers = handlers;
		this.#host = host;
		engine.subscribe((state, event) => {
			const { confirmation } = this.ui.get();
			if (!confirmation || !("seq" in event)) return;
			const updated = { ...confirmation, ...updateConfirmation(confirmation, this.#confirm(state)) };
			this.ui.set({ confirmation: event.type === "run.stopped" ? undefined : updated });
		});
		const leaveIfStopping = () => {
			const { live, stopAfter } = engine.state;
			if (live.stopping || stopAfter !== undefined) host.leave();
		};
		engine.finished.then(leaveIfStopping, (error: unknown) => {
			const failure = messageOf(error);
			this.ui.set({ failure });
			this.#showMessage(failure, "bad");
			leaveIfStopping();
		});
	}

	/** The experiments in the table, in its order. */
	rows(): readonly Experiment[] {
		const { state } = this.#engine;
		const { query } = this.ui.get();
		if (this.#rows?.experiments !== state.experiments || this.#rows.query !== query)
			this.#rows = { experiments: state.experiments, query, rows: filterExperiments(state, query) };
		return this.#rows.rows;
	}

	/** What decides which keys work now. */
	keyContext(): KeyContext {
		const ui = this.ui.get();
		const { state } = this.#engine;
		const selected = ui.view === "overview" ? this.rows()[selectedIndex(ui, this.rows())]?.n : ui.selected;
		const stopped = state.stopped ?? ui.failure;
		return { state: { ...state, stopped }, view: ui.view, selected, isFiltered: isFiltered(ui) };
	}

	/** One piece of input, which may be several keys. */
	input(text: string, key: Key): void {
		for (const name of keyNames(text, key)) this.#press(name);
	}

	/** Pasted text goes into a prompt. Without one it is dropped, since each of its letters would be a command. */
	paste(text: string): void {
		const { prompt } = this.ui.get();
		if (prompt) this.#type(prompt.text + text.replace(/[\s\p{Cc}]+/gu, " "));
	}

	#press(name: string): void {
		const { confirmation, prompt } = this.ui.get();
		if (name === "ctrl+c") {
			this.#interrupt();
			return;
		}
		this.#interrupted = false;
		// Works in a confirmation or a prompt too: the user cannot answer on a damaged screen.
		if (name === "ctrl+l") this.#host.redraw();
		else if (prompt) this.#pressInPrompt(name, prompt);
		else if (confirmation) this.#pressInConfirmation(name, confirmation);
		else {
			this.ui.set({ message: undefined });
			const binding = bindingFor(name, this.keyContext());
			if (binding && !this.#handlers.offer(binding.action)) this.#actions[binding.action]?.();
		}
	}

	/** Actions that no view took. The movements are those of the table. */
	readonly #actions: Partial<Record<KeyAction, () => unknown>> = {
		pause: () => this.#send({ type: this.#engine.state.paused ? "resume" : "pause" }),
		"pause-now": () => this.#send({ type: "pause-now" }),
		skip: () => this.#send({ type: "skip", n: inFlight(this.#engine.state)!.n }),
		approval: () => this.#send({ type: "approval", on: !this.#engine.state.approval }),
		approve: () => this.#send({ type: "approve", n: this.#engine.state.live.n }),
		reject: () => this.#send({ type: "reject", n: this.#engine.state.live.n }),
		revert: () => this.#ask(confirmRevert),
		base: () => this.#askMove("base", confirmBase),
		keep: () => this.#askMove("keep", confirmKeep),
		note: () => this.ui.set({ prompt: { kind: "note", text: "", before: "" } }),
		edit: () => this.#showAnswer(this.#engine.programPath().then(this.#host.edit)),
		copy: () => this.#copy(),
		open: () => this.#show("experiment", this.#selected()),
		overview: () => this.ui.set({ view: "overview", trail: [], ...this.#followNewest() }),
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

	/** The experiment that a key acts on; such keys work only when there is one. */
	#selected(): number {
		return this.keyContext().selected ?? 1;
	}

	#copy(): void {
		const commit = this.#engine.state.experiments[this.#selected() - 1]?.commit;
		if (!commit) return;
		this.#host.copy(commit);
		this.#showMessage(`copied ${commit}`, "accent");
	}

	#search(): void {
		const { view, query } = this.ui.get();
		this.ui.set({ prompt: { kind: "search", text: "", before: view === "overview" ? query.search : "" } });
	}

	#quit(): void {
		const { stopped, live } = this.keyContext().state;
		if (stopped !== undefined) this.#host.leave();
		else if (live.stopping) this.#showMessage("stopping; the screen closes when the run has ended", "accent");
		else this.#ask(confirmQuit);
	}

	/** Shows a view, or goes back when it is on the screen already. */
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
		else this.ui.set({ view: trail[0] ?? "overview", trail: trail.slice(1), ...this.#followNewest() });
	}

	/** If the newest row was selected, keep following the newest. */
	#followNewest(): Partial<Ui> {
		const { query, selected } = this.ui.get();
		return query.sort === "newest" && this.rows()[0]?.n === selected ? { selected: undefined } : {};
	}

	#query(change: Partial<Query>): void {
		this.ui.set({ query: { ...this.ui.get().query, ...change }, selected: undefined, top: 0 });
	}

	/** Moves the selection in the table. Selecting the newest row means following the newest experiment. */
	#move(step: (page: number) => number): void {
		const ui = this.ui.get();
		const rows = this.rows();
		if (rows.length === 0) return;
		const { table, framed } = layout(this.#host.size(), awaitsApproval(this.#engine.state));
		const page = rowsIn(table, framed);
		const next = Math.min(rows.length - 1, Math.max(0, selectedIndex(ui, rows) + step(page)));
		const selected = next === 0 && ui.query.sort === "newest" ? undefined : rows[next]!.n;
		this.ui.set({ selected, top: scrolled(ui.top, next, page, rows.length) });
	}

	#ask(confirm: (state: State) => Confirmation): void {
		this.#confirm = confirm;
		this.ui.set({ confirmation: { ...confirm(this.#engine.state), cursor: 0 } });
	}

	/** Asks whether to move the branch to the selected experiment, or says why it cannot be moved there. */
	#askMove(type: "base" | "keep", confirm: (state: State, n: number) => Confirmation): void {
		const n = this.#selected();
		const refusal = refusalOf({ type, n }, this.#engine.state);
		if (refusal) this.#showMessage(refusal, "warn");
		else this.#ask((state) => confirm(state, n));
	}

	#pressInConfirmation(name: string, confirmation: Confirmation & { cursor: number }): void {
		const step = { down: 1, j: 1, up: -1, k: -1 }[name];
		const { choices } = confirmation;
		if (step) {
			const cursor = Math.min(choices.length - 1, Math.max(0, confirmation.cursor + step));
			this.ui.set({ confirmation: { ...confirmation, cursor } });
		} else if (name === "esc" || name === "n" || name === "q") this.ui.set({ confirmation: undefined });
		else {
			const isYes = name === "enter" || name === "y";
			const chosen = isYes ? choices[confirmation.cursor] : choices.find((choice) => choice.key === name);
			if (!chosen?.command) return;
			this.ui.set({ confirmation: undefined });
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

	/** Changes the text of the prompt. A search in the table takes effect with each letter. */
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
			this.#showMessage(problem, "bad");
			return;
		}
		this.ui.set({ prompt: undefined });
		if (kind === "search") this.#handlers.offer({ search: text });
		else if (note) void this.#send({ type: "note", text: note });
	}

	#interrupt(): void {
		const isSecond = this.#interrupted && freshMessage(this.ui.get(), this.#host.now());
		if (isSecond || this.keyContext().state.stopped !== undefined) {
			this.#host.leave();
			return;
		}
		this.#interrupted = true;
		this.ui.set({ confirmation: undefined, prompt: undefined });
		this.#showMessage("Ctrl-C again stops the run and leaves; the same tag resumes it", "warn");
	}

	#send(command: Command): Promise<void> {
		return this.#showAnswer(this.#engine.command(command));
	}

	async #showAnswer(answer: Promise<string>): Promise<void> {
		try {
			this.#showMessage(await answer, "accent");
		} catch (error) {
			this.#showMessage(messageOf(error), "bad");
		}
	}

	#showMessage(text: string, tone: Tone): void {
		this.ui.set({ message: { text, tone, at: this.#host.now() } });
	}
}

/** The item after another in a list; the first one follows the last. */
function after<T>(list: readonly T[], item: T): T {
	return list[(list.indexOf(item) + 1) % list.length]!;
}
