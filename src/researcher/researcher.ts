/**
 * Who proposes. A researcher is given a brief and answers with a proposal; it has no other power: it cannot commit,
 * train, measure or decide.
 */
import type { Change } from "../loop/events.ts";
import type { Experiment } from "../loop/state.ts";

export interface Brief {
	/** The number the proposal will have. */
	n: number;
	/** program.md as it stands: the human's instructions. */
	program: { version: string; text: string };
	/** What may be edited, with the text it has on the best commit. Paths relative to the lab's root. */
	files: SourceFile[];
	metric: { name: string; direction: "lower" | "higher" };
	budgetSeconds: number;
	/** Every decided experiment, oldest first. */
	history: readonly Experiment[];
	/** Number of the experiment `files` is taken from. */
	best: number;
	seed: number;
}

export interface SourceFile {
	path: string;
	text: string;
}

export interface Proposal {
	/** One line, imperative, no tabs or newlines: the commit's subject and the row's description. */
	title: string;
	/** Why it should help: one or two sentences. */
	hypothesis: string;
	/** The new text of each file it changes. */
	files: SourceFile[];
	/** Constants it changed, when it can name them. */
	changes: Change[];
}

export interface ProposeOptions {
	/** Aborted when program.md changes, the human skips, or the run stops. `propose` then rejects. */
	signal: AbortSignal;
	/** Called as the proposal takes shape, so that the console can show it being written. */
	onDraft(draft: { title?: string; hypothesis?: string; files?: SourceFile[]; text?: string }): void;
	/** Called when it must wait for something outside: the reason and when it will try again (epoch ms). */
	onWait(reason: string, until: number): void;
	/** Something the human should read. */
	onNotice(level: "info" | "warn" | "error", text: string): void;
}

export interface Researcher {
	/** `search`, `anthropic`, …: what `--researcher` takes and each experiment records. */
	readonly name: string;
	propose(brief: Brief, options: ProposeOptions): Promise<Proposal>;
}
