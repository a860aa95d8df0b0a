/**
 * Every key of the console, in one table: the footer, the help and the tests read it, and nothing else decides what a
 * key does.
 */
import type { Key } from "ink";
import { inFlight, type State } from "../journal/state.ts";

export type View = "overview" | "experiment" | "log" | "program" | "notices" | "help";

/** What a key can stand for. */
export type KeyAction =
	| "pause"
	| "pause-now"
	| "skip"
	| "revert"
	| "base"
	| "keep"
	| "approval"
	| "approve"
	| "reject"
	| "note"
	| "edit"
	| "copy"
	| "overview"
	| "open"
	| "log"
	| "program"
	| "notices"
	| "help"
	| "back"
	| "up"
	| "down"
	| "page-up"
	| "page-down"
	| "top"
	| "bottom"
	| "search"
	| "next-match"
	| "previous-match"
	| "filter"
	| "sort"
	| "follow"
	| "switch"
	| "redraw"
	| "older"
	| "newer"
	| "quit"
	| "interrupt";

/** What decides which keys work now. */
export interface KeyContext {
	state: State;
	view: View;
	/** Number of the experiment that is selected in the table or open. */
	selected?: number;
	/** The table is searched or filtered. */
	isFiltered: boolean;
}

export interface Binding {
	/** Names as `keyNames` gives them; the first is the one shown. */
	keys: readonly string[];
	action: KeyAction;
	/** A word or two for the footer. */
	label: string | ((context: KeyContext) => string);
	/** A sentence for the help. */
	help: string;
	group: "The run" | "The selected experiment" | "Views" | "Moving" | "Tables and texts" | "The program";
	/** Where it works; everywhere if absent. */
	views?: readonly View[];
	works?: (context: KeyContext) => boolean;
	/** Left out of the footer: well known, or rarely needed. */
	quiet?: true;
}

const running = ({ state }: KeyContext) => state.stopped === undefined && !state.live.stopping;
const measured = (s: KeyContext) => running(s) && s.state.experiments[(s.selected ?? 0) - 1]?.value !== undefined;
/** A proposal waits for an answer and is on the screen. */
const asked = ({ state, view, selected }: KeyContext) =>
	state.live.phase === "approving" && (view === "overview" || selected === state.live.n);
const WITH_SELECTION: readonly View[] = ["overview", "experiment"];
const TEXTS: readonly View[] = ["experiment", "log", "program", "notices", "help"];

export const KEYS: readonly Binding[] = [
	{
		keys: ["y"],
		action: "approve",
		label: "train it",
		help: "approve mode: train the proposal, in the overview or its own view",
		group: "The run",
		views: WITH_SELECTION,
		works: (s) => running(s) && asked(s),
	},
	{
		keys: ["n"],
		action: "reject",
		label: "drop it",
		help: "approve mode: drop the proposal; its row says discard and its commit stays",
		group: "The run",
		views: WITH_SELECTION,
		works: (s) => running(s) && asked(s),
	},
	{
		keys: ["p"],
		action: "pause",
		label: ({ state }) => (state.paused ? "resume" : "pause"),
		help: "pause after this experiment; again: resume",
		group: "The run",
		works: running,
	},
	{
		keys: ["P"],
		action: "pause-now",
		label: "pause now",
		help: "pause at once; the experiment is interrupted and trained again, since its budget cannot be paused",
		group: "The run",
		works: (s) => running(s) && !s.state.setAside && inFlight(s.state) !== undefined,
		quiet: true,
	},
	{
		keys: ["x"],
		action: "skip",
		label: "skip",
		help: "end the experiment in flight; its row says discard and its diff stays",
		group: "The run",
		works: (s) => running(s) && inFlight(s.state) !== undefined,
	},
	{
		keys: ["r"],
		action: "revert",
		label: "revert",
		help: "force-revert the running experiment or the last kept commit; asks which",
		group: "The run",
		works: (s) => running(s) && (inFlight(s.state) !== undefined || s.state.standing > 1),
	},
	{
		keys: ["a"],
		action: "approval",
		label: ({ state }) => (state.approval ? "approve off" : "approve"),
		help: "approve mode on or off: each proposal waits for your y or n",
		group: "The run",
		works: running,
		quiet: true,
	},
	{
		keys: ["s"],
		action: "note",
		label: "note",
		help: "a one-line note to the researcher for its next proposals",
		group: "The run",
		works: running,
	},
	{
		keys: ["e"],
		action: "edit",
		label: "edit program.md",
		help: "open program.md in $EDITOR and come back; it steers the next proposal",
		group: "The run",
	},
	{
		keys: ["b"],
		action: "base",
		label: "make base",
		help: "build the next proposals on the selected experiment; asks first",
		group: "The selected experiment",
		views: WITH_SELECTION,
		works: (s) => measured(s) && s.selected !== s.state.standing,
		quiet: true,
	},
	{
		keys: ["K"],
		action: "keep",
		label: "keep by hand",
		help: "keep the selected experiment against the gate's decision; asks first, and the row says so",
		group: "The selected experiment",
		views: WITH_SELECTION,
		works: (s) => measured(s) && s.state.experiments[(s.selected ?? 0) - 1]?.status !== "keep",
		quiet: true,
	},
	{
		keys: ["y"],
		action: "copy",
		label: "copy commit",
		help: "copy the selected experiment's commit id to the clipboard",
		group: "The selected experiment",
		views: WITH_SELECTION,
		works: ({ state, selected }) => state.experiments[(selected ?? 0) - 1]?.commit !== undefined,
		quiet: true,
	},
	{
		keys: ["enter", "d"],
		action: "open",
		label: "open",
		help: "the selected experiment: numbers, diff and log",
		group: "Views",
		views: ["overview"],
		works: ({ selected }) => selected !== undefined,
	},
	{
		keys: ["esc"],
		action: "back",
		label: ({ view }) => (view === "overview" ? "show all" : "back"),
		help: "back to the previous view; in the table, clear a search or a filter",
		group: "Views",
		works: ({ view, isFiltered }) => view !== "overview" || isFiltered,
	},
	{ keys: ["o"], action: "overview", label: "overview", help: "the overview", group: "Views", views: TEXTS },
	{ keys: ["l"], action: "log", label: "log", help: "the output of the trainer", group: "Views" },
	{
		keys: ["m"],
		action: "program",
		label: "program.md",
		help: "program.md: its text, its versions, their diffs, and the experiments each steered",
		group: "Views",
	},
	{
		keys: ["w"],
		action: "notices",
		label: "notices",
		help: "notices, warnings and your notes",
		group: "Views",
		quiet: true,
	},
	{
		keys: ["j", "down"],
		action: "down",
		label: "down",
		help: "down a line",
		group: "Moving",
		quiet: true,
	},
	{ keys: ["k", "up"], action: "up", label: "up", help: "up a line", group: "Moving", quiet: true },
	{
		keys: ["pgdn", "ctrl+f", "space"],
		action: "page-down",
		label: "page down",
		help: "down a page",
		group: "Moving",
		quiet: true,
	},
	{ keys: ["pgup", "ctrl+b"], action: "page-up", label: "page up", help: "up a page", group: "Moving", quiet: true },
	{ keys: ["g", "home"], action: "top", label: "top", help: "to the beginning", group: "Moving", quiet: true },
	{ keys: ["G", "end"], action: "bottom", label: "end", help: "to the end", group: "Moving", quiet: true },
	{
		keys: ["[", "left"],
		action: "older",
		label: "older",
		help: "the experiment or the version of program.md before this one",
		group: "Moving",
		views: ["experiment", "program"],
	},
	{
		keys: ["]", "right"],
		action: "newer",
		label: "newer",
		help: "the experiment or the version after this one",
		group: "Moving",
		views: ["experiment", "program"],
	},
	{
		keys: ["tab"],
		action: "switch",
		label: ({ view }) => (view === "program" ? "text/diff" : "diff/log"),
		help: "an experiment: its diff or its log; program.md: a version's text or its diff from the one before",
		group: "Tables and texts",
		views: ["experiment", "program"],
	},
	{
		keys: ["/"],
		action: "search",
		label: "search",
		help: "search titles, or the text on the screen",
		group: "Tables and texts",
	},
	{
		keys: ["n"],
		action: "next-match",
		label: "next match",
		help: "to the next match of the search",
		group: "Tables and texts",
		views: TEXTS,
		quiet: true,
	},
	{
		keys: ["N"],
		action: "previous-match",
		label: "previous match",
		help: "to the previous match",
		group: "Tables and texts",
		views: TEXTS,
		quiet: true,
	},
	{
		keys: ["f"],
		action: "filter",
		label: "filter",
		help: "show all experiments, or only the kept, discarded or crashed ones",
		group: "Tables and texts",
		views: ["overview"],
	},
	{
		keys: ["t"],
		action: "sort",
		label: "sort",
		help: "newest first, oldest first, or by the metric, best first",
		group: "Tables and texts",
		views: ["overview"],
	},
	{
		keys: ["f"],
		action: "follow",
		label: "follow",
		help: "stay at the end of the log as it grows",
		group: "Tables and texts",
		views: ["log"],
	},
	{ keys: ["?"], action: "help", label: "help", help: "this page", group: "The program" },
	{
		keys: ["q"],
		action: "quit",
		label: "quit",
		help: "quit; asks what to do with the experiment in flight",
		group: "The program",
	},
	{
		keys: ["ctrl+l"],
		action: "redraw",
		label: "redraw",
		help: "draw the screen again, when another program wrote over it",
		group: "The program",
		quiet: true,
	},
	{
		keys: ["ctrl+c"],
		action: "interrupt",
		label: "leave",
		help: "twice: stop the run now and leave",
		group: "The program",
		quiet: true,
	},
];

/** The binding a key has in this context. The first that works wins: in approve mode `y` and `n` answer. */
export function bindingFor(name: string, context: KeyContext): Binding | undefined {
	return KEYS.find((binding) => binding.keys.includes(name) && worksNow(binding, context));
}

export function worksNow(binding: Binding, context: KeyContext): boolean {
	return (binding.views?.includes(context.view) ?? true) && (binding.works?.(context) ?? true);
}

export function labelOf(binding: Binding, context: KeyContext): string {
	return typeof binding.label === "string" ? binding.label : binding.label(context);
}

/**
 * The names of the keys in one piece of Ink's input. Keys typed faster than the terminal delivers them arrive in one
 * piece: each character is a key of its own.
 */
export function keyNames(input: string, key: Key): string[] {
	if (key.upArrow) return ["up"];
	if (key.downArrow) return ["down"];
	if (key.leftArrow) return ["left"];
	if (key.rightArrow) return ["right"];
	if (key.pageUp) return ["pgup"];
	if (key.pageDown) return ["pgdn"];
	if (key.home) return ["home"];
	if (key.end) return ["end"];
	if (key.return) return ["enter"];
	if (key.escape) return ["esc"];
	if (key.tab) return ["tab"];
	if (key.backspace || key.delete) return ["backspace"];
	if (key.ctrl) return [`ctrl+${input}`];
	return Array.from(input, (character) => CHARACTERS[character] ?? character);
}

const CHARACTERS: Record<string, string> = { "\r": "enter", "\n": "enter", "\t": "tab", " ": "space", "\u001b": "esc" };
