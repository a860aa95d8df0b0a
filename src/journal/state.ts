/** The state of a run, and what is read from it. fold.ts makes it from the run's events. */
import type {
	Change,
	Mode,
	Phase,
	PhaseSeconds,
	RunFacts,
	Status,
	TrainingProgress,
	TrainingSummary,
} from "./events.ts";
import type { Usage } from "./usage.ts";

export interface Experiment {
	n: number;
	/** The commit it was built on. */
	parent: string;
	/** The commit its files were drafted from, when that is not the parent. */
	basis?: string;
	mode?: Mode;
	/** How often its author repaired it after a crash. */
	repairs?: number;
	/** Its own commit; absent until committed. The baseline's is the parent itself. */
	commit?: string;
	program: string;
	researcher: string;
	title: string;
	hypothesis: string;
	changes: Change[];
	added: number;
	removed: number;
	/** The metric; absent until measured, and for a crash. */
	value?: number;
	memoryGb?: number;
	summary?: TrainingSummary;
	/** Absent while in flight. */
	status?: Status;
	/** Why it was kept, discarded or crashed, in words. */
	reason?: string;
	/** True when a human took back a keep; its status is then `discard`. */
	reverted?: boolean;
	/** True when a human, not the gate, kept it. */
	byHand?: boolean;
	/** How often its run was interrupted and begun again. */
	requeued?: number;
	/** What its author expected to gain, in the metric; positive is better. */
	expectedGain?: number;
	/** Spent on its proposal: dropped drafts and repairs too. */
	usage?: Usage;
	seconds: Partial<PhaseSeconds>;
	startedAt: string;
	decidedAt?: string;
	/**
	 * Milliseconds the console has worked on it: not those it was paused, waited for a human's yes, or was not running.
	 */
	workedMs: number;
}

export interface Notice {
	at: string;
	level: "info" | "warn" | "error";
	text: string;
}

/** What the human told the researcher in mid-run. */
export interface Note {
	at: string;
	text: string;
	/** The first experiment whose brief carried it; absent while it waits to be heard. */
	heardBy?: number;
}

/** What is happening this second. Empty after a restart; never decides anything. */
export interface Live {
	phase: Phase;
	n: number;
	note?: string;
	until?: number;
	draft?: { n: number; title?: string; hypothesis?: string; diff?: string; text?: string };
	/** The next proposal, drafted while this one trains. */
	ahead?: Live["draft"];
	training?: TrainingProgress & { n: number };
	/** [seconds of the budget used, loss], thinned, of the run in flight. */
	curve: [number, number][];
	/** The same for the best experiment, where its log has it. */
	bestCurve: [number, number][];
	/** Why program.md cannot be used as it is; the last good version steers meanwhile. */
	programProblem?: string;
	/** A human has ended the run; its processes are being ended. */
	stopping?: boolean;
}

export interface State extends RunFacts {
	startedAt: string;
	/** When it was last started or continued, and when it stopped after that. */
	since: string;
	until?: string;
	/** In the order of their numbers: experiments[n - 1] is experiment n. */
	experiments: Experiment[];
	/**
	 * Number of the experiment the branch stands on: what the next are built on and judged against. 0 before the
	 * baseline.
	 */
	standing: number;
	/** Number of the best one kept. Another than `standing` only when a human moved the branch; 0 before the baseline. */
	best: number;
	program: { version: string; lines: number; changedAt: string };
	paused: boolean;
	/** The experiment in flight was set aside by a pause: nothing runs until it is resumed. */
	setAside: boolean;
	stopped?: string;
	/** The run ends once this experiment is decided. */
	stopAfter?: number;
	/** Approve mode: each proposal waits for a human's yes. */
	approval: boolean;
	notes: Note[];
	notices: Notice[];
	/** Spent on drafts of the experiment that has not begun yet. */
	spentAhead?: Usage;
	/** Sequence number and time of the last event folded in. */
	seq: number;
	at: string;
	live: Live;
}

export function initialState(): State {
	return {
		tag: "",
		branch: "",
		base: "",
		lab: "",
		metric: { name: "val_bpb", direction: "lower" },
		budgetSeconds: 0,
		researcher: "",
		seed: 0,
		device: "",
		startedAt: "",
		since: "",
		experiments: [],
		standing: 0,
		best: 0,
		program: { version: "", lines: 0, changedAt: "" },
		paused: false,
		setAside: false,
		approval: false,
		notes: [],
		notices: [],
		seq: 0,
		at: "",
		live: { phase: "starting", n: 0, curve: [], bestCurve: [] },
	};
}

/** The experiment the branch stands on: what the next are built on and judged against. */
export function standingOn(state: State): Experiment | undefined {
	return state.standing > 0 ? state.experiments[state.standing - 1] : undefined;
}

/** The best experiment that is kept. */
export function best(state: State): Experiment | undefined {
	return state.best > 0 ? state.experiments[state.best - 1] : undefined;
}

/** The experiment that is neither kept, discarded nor crashed yet: at most one, the last. */
export function inFlight(state: State): Experiment | undefined {
	const last = state.experiments.at(-1);
	return last && last.status === undefined ? last : undefined;
}

export interface Tally {
	keep: number;
	discard: number;
	crash: number;
	total: number;
	/** Decided experiments an hour of work on them; NaN before two are decided. */
	perHour: number;
}

export function tally(state: State): Tally {
	const count = { keep: 0, discard: 0, crash: 0, total: 0 };
	let workedMs = 0;
	for (const e of state.experiments) {
		if (!e.status) continue;
		count[e.status]++;
		count.total++;
		workedMs += e.workedMs;
	}
	return { ...count, perHour: count.total < 2 ? Number.NaN : (count.total * 3_600_000) / workedMs };
}
