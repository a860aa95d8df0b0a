/**
 * The interface of a researcher: it is given a brief and answers with a proposal. It can do nothing else: it does not
 * commit, train, measure or decide.
 */
import { UserError } from "../errors.ts";
import type { Checkout } from "../git/checkout.ts";
import type { Change } from "../journal/events.ts";
import type { Metric } from "../journal/metric.ts";
import type { Experiment, Note } from "../journal/state.ts";
import type { Usage } from "../journal/usage.ts";
import type { BriefPlan } from "./plateau.ts";

export interface Brief {
	/** The number the proposal will have. */
	n: number;
	/** program.md as it stands: the human's instructions. */
	program: { version: string; text: string };
	/** What may be edited, with the text it has on the best commit. Paths relative to the lab's root. */
	files: SourceFile[];
	metric: Metric;
	budgetSeconds: number;
	/**
	 * Set where the lab trains with a command of its own, which is ended after so many seconds; else the built-in
	 * trainer does.
	 */
	ownTrainer?: { timeoutSeconds: number };
	/** Every decided experiment, oldest first. */
	history: readonly Experiment[];
	/** Number of the experiment `files` is taken from. */
	best: number;
	seed: number;
	/** Proposed but not decided yet: one may train while the next is written. Not to be proposed again. */
	pending?: readonly Experiment[];
	/** The human's latest notes, oldest first. */
	notes?: readonly Note[];
	/** Read-only files that travel with every brief, such as the reference of the tensor library. */
	reference?: readonly SourceFile[];
	/** What kind of change is asked for, and why; derived from the history when absent. */
	plan?: BriefPlan;
}

/** The longest note, in characters: longer ones are refused when they are given. */
export const NOTE_LIMIT = 500;

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
	/** What the researcher expects to gain, in the metric; positive is better. */
	expectedGain?: number;
	/** The researcher that made it, when that is not the one that was asked: a stand-in during an outage. */
	researcher?: string;
}

export interface ProposeOptions {
	/** Aborted when program.md changes, the human skips, or the run stops. `propose` then rejects. */
	signal: AbortSignal;
	/** Called while the proposal is being written, so that the console can show it. */
	onDraft(draft: { title?: string; hypothesis?: string; files?: SourceFile[]; text?: string }): void;
	/** Called when it waits for a service: the reason, and when it will try again (epoch ms) where that is known. */
	onWait(reason: string, until?: number): void;
	/** Called with a message for the human. */
	onNotice(level: "info" | "warn" | "error", text: string): void;
	/** Called with the tokens of each answered request at once, so that those of a dropped draft count too. */
	onUsage?(usage: Usage): void;
	/** What the researcher may read besides the brief. */
	evidence?: Evidence;
	/** A checkout of the brief's best commit for a researcher that edits files in place. Removed by its disposal. */
	checkout?(): Promise<Checkout>;
}

/** What a researcher may read of a run. Nothing here changes it. */
export interface Evidence {
	/** The unified diff of experiment n against its parent. */
	diff(n: number): Promise<string>;
	/** The last lines of experiment n's log. */
	log(n: number): Promise<string>;
	/** Paths of the lab's files that may be read, relative to its root. */
	list(): Promise<string[]>;
	/** The text of one of them; rejects for any other path. */
	read(path: string): Promise<string>;
}

/** How often a crash goes back to its author. */
export const MAX_REPAIRS = 2;

/** A proposal whose training or evaluation failed. */
export interface CrashReport {
	/** The number the repaired experiment keeps. */
	n: number;
	/** What crashed. */
	proposal: Proposal;
	/** The reason the console gives: "loss became NaN", "out of memory". */
	reason: string;
	/** The end of the trainer's log. */
	log: string;
	/** Which repair this is, from 1. */
	attempt: number;
}

/** A person must act (a wrong key, an unknown model); the message says how. Trying again does not help. */
export class ResearcherError extends UserError {
	override name = "ResearcherError";
}

/** Why an edit or a proposal is not accepted; the researcher is sent the message and may correct it. */
export class Rejection extends Error {
	override readonly name = "Rejection";
}

export interface Researcher {
	/** `search`, `anthropic`, …: what `--researcher` takes and each experiment records. */
	readonly name: string;
	/** The language model behind it, when there is one and it is known. */
	readonly model?: string;
	/** It decides by itself what kind of change comes next, and takes no plan (plateau.ts). */
	readonly plansItself: boolean;
	/**
	 * It answers within milliseconds and without anything outside this process: there is no outage to stand in for, and
	 * no use in asking it before the last result is known.
	 */
	readonly isInstant: boolean;
	/** What it reports of its spending (`onUsage`): nothing when absent, tokens, or tokens and what they cost. */
	readonly counts?: "tokens" | "cost";
	propose(brief: Brief, options: ProposeOptions): Promise<Proposal>;
	/** Called once, before anything trains. Rejects with a ResearcherError when the researcher cannot work. */
	check?(signal: AbortSignal): Promise<void>;
	/** The exact text that would be sent for this brief; nothing is sent. */
	show?(brief: Brief, evidence?: Evidence): Promise<string>;
	/** A corrected version of a proposal that crashed; undefined when there is none to be had. */
	repair?(brief: Brief, crash: CrashReport, options: ProposeOptions): Promise<Proposal | undefined>;
}
