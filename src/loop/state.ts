/**
 * The state of a run: a pure fold over its events. Nothing here reads a clock, a file or a screen; the same journal
 * always gives the same state, which is how a killed run carries on.
 */
import type {
	Change,
	JournalEvent,
	Mode,
	Phase,
	PhaseSeconds,
	Status,
	Tick,
	TrainingProgress,
	TrainingSummary,
	Usage,
} from "./events.ts";

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
	/** How often its run was set aside and begun afresh. */
	requeued?: number;
	/** What its author expected to gain, in the metric; positive is better. */
	expectedGain?: number;
	/** Spent on its proposal: dropped drafts and repairs too. */
	usage?: Usage;
	seconds: Partial<PhaseSeconds>;
	startedAt: string;
	decidedAt?: string;
	/** Milliseconds the console has worked on it: not those it was paused, waited for a human's yes, or was not running. */
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
	/** A human has ended the run; what was going on is being ended. */
	stopping?: boolean;
}

export interface State {
	tag: string;
	branch: string;
	base: string;
	lab: string;
	metric: { name: string; direction: "lower" | "higher" };
	budgetSeconds: number;
	researcher: string;
	/** The language model behind the researcher, when there is one. */
	model?: string;
	seed: number;
	device: string;
	startedAt: string;
	/** When it was last started or continued, and when it stopped after that. */
	since: string;
	until?: string;
	/** In the order of their numbers: experiments[n - 1] is experiment n. */
	experiments: Experiment[];
	/** Number of the experiment the branch stands on: what the next are built on and judged against. 0 before the baseline. */
	standing: number;
	/** Number of the best one kept. Another than `standing` only when a human moved the branch; 0 before the baseline. */
	best: number;
	program: { version: string; lines: number; changedAt: string };
	paused: boolean;
	/** The experiment in flight was set aside by a pause: nothing runs until the run goes on. */
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

const CURVE_POINTS = 400;
const NOTICES_KEPT = 500;

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

/** The state after one more event. Never mutates its argument; parts that did not change keep their identity. */
export function fold(state: State, event: JournalEvent | Tick): State {
	switch (event.type) {
		case "tick.phase": {
			const { phase, n, note, until } = event;
			// What an earlier run left, of this experiment or another, is not the one's that is about to begin.
			const fresh = phase === "preflight" ? { training: undefined, curve: [] } : {};
			return { ...state, live: { ...state.live, phase, n, note, until, ...fresh } };
		}
		case "tick.draft": {
			const { type: _, ahead, ...draft } = event;
			return { ...state, live: { ...state.live, [ahead ? "ahead" : "draft"]: draft } };
		}
		case "tick.training": {
			const { n, progress } = event;
			const fresh = state.live.training?.n !== n || progress.elapsed < state.live.training.elapsed;
			const curve = addPoint(fresh ? [] : state.live.curve, [progress.elapsed, progress.loss]);
			return { ...state, live: { ...state.live, training: { n, ...progress }, curve } };
		}
		case "tick.program":
			return { ...state, live: { ...state.live, programProblem: event.problem } };
		case "tick.best-curve":
			return { ...state, live: { ...state.live, bestCurve: event.curve.reduce(addPoint, []) } };
		case "tick.stopping":
			return { ...state, live: { ...state.live, stopping: true } };
		default:
			return { ...foldJournal(clocked(state, event), event), seq: event.seq, at: event.at };
	}
}

/** Counts the time since the last event as work on the experiment in flight, unless it waited or nobody was there. */
function clocked(state: State, event: JournalEvent): State {
	const running = inFlight(state);
	if (!running || state.setAside || event.type === "run.continued") return state;
	const waitedMs = event.type === "experiment.waited" ? event.seconds * 1000 : 0;
	const passedMs = Date.parse(event.at) - Date.parse(state.at);
	return replace(state, { ...running, workedMs: running.workedMs + passedMs - waitedMs });
}

function foldJournal(state: State, event: JournalEvent): State {
	switch (event.type) {
		case "run.started": {
			const { tag, branch, base, lab, metric, budgetSeconds, researcher, model, seed, device, at } = event;
			return {
				...state,
				tag,
				branch,
				base,
				lab,
				metric,
				budgetSeconds,
				researcher,
				model,
				seed,
				device,
				startedAt: at,
				since: at,
			};
		}
		case "run.continued": {
			const { budgetSeconds, researcher, model, seed, device, at } = event;
			const run = { budgetSeconds, researcher, model, seed, device, since: at };
			const afresh = { until: undefined, stopped: undefined, stopAfter: undefined, paused: false, setAside: false };
			return { ...state, ...run, ...afresh };
		}
		case "run.paused":
			return { ...state, paused: true };
		case "run.resumed":
			return { ...state, paused: false, setAside: false };
		case "run.stop-after":
			return { ...state, stopAfter: event.n };
		case "run.stopped":
			return {
				...state,
				stopped: event.reason,
				until: event.at,
				live: { ...state.live, phase: "stopped", note: event.reason },
			};
		case "run.approval":
			return { ...state, approval: event.on };
		case "program.changed":
			return { ...state, program: { version: event.version, lines: event.lines, changedAt: event.at } };
		case "experiment.started": {
			const { n, parent, basis, mode, program, researcher, at } = event;
			const experiment: Experiment = {
				n,
				parent,
				basis,
				mode,
				program,
				researcher,
				title: "",
				hypothesis: "",
				changes: [],
				added: 0,
				removed: 0,
				usage: state.experiments[n - 1]?.usage ?? state.spentAhead,
				seconds: {},
				startedAt: at,
				workedMs: state.experiments[n - 1]?.workedMs ?? 0,
			};
			const { draft, ahead } = state.live;
			const live = { ...state.live, draft: ahead?.n === n ? ahead : draft, ahead: undefined };
			return { ...replace(state, experiment), spentAhead: undefined, live };
		}
		case "experiment.proposed": {
			const { n, title, hypothesis, changes, seconds, usage, expectedGain, researcher, program } = event;
			return update(state, n, (e) => ({
				researcher: researcher ?? e.researcher,
				program: program ?? e.program,
				title,
				hypothesis,
				changes,
				expectedGain,
				usage: usage ?? e.usage,
				seconds: { ...e.seconds, propose: seconds },
			}));
		}
		case "experiment.spent": {
			const { n, usage } = event;
			if (!state.experiments[n - 1]) return { ...state, spentAhead: addUsage(state.spentAhead, usage) };
			return update(state, n, (e) => ({ usage: addUsage(e.usage, usage) }));
		}
		case "experiment.committed": {
			const { n, commit, added, removed } = event;
			return update(state, n, (e) => ({
				commit,
				added,
				removed,
				repairs: e.commit && e.commit !== commit ? (e.repairs ?? 0) + 1 : e.repairs,
			}));
		}
		case "experiment.trained": {
			const { n, seconds, memoryGb, summary } = event;
			return update(state, n, (e) => ({ memoryGb, summary, seconds: { ...e.seconds, ...seconds } }));
		}
		case "experiment.measured":
			return update(state, event.n, (e) => ({
				value: event.value,
				seconds: { ...e.seconds, evaluate: event.seconds },
			}));
		case "experiment.decided": {
			const { n, status, reason, seconds, at } = event;
			const decided = update(state, n, (e) => ({
				status,
				reason,
				decidedAt: at,
				seconds: { ...e.seconds, ...seconds },
			}));
			return status === "keep" ? ranked({ ...decided, standing: n }) : decided;
		}
		case "experiment.reverted": {
			const parent = state.experiments[event.n - 1]?.parent;
			const reverted = update(state, event.n, () => ({ status: "discard", reason: event.reason, reverted: true }));
			const standing = state.experiments.findLast((e) => e.status === "keep" && e.commit === parent);
			return ranked({ ...reverted, standing: standing?.n ?? 0 });
		}
		case "experiment.waited":
			return state;
		case "experiment.requeued": {
			const requeued = update(state, event.n, (e) => ({ requeued: (e.requeued ?? 0) + 1 }));
			return { ...requeued, setAside: state.paused };
		}
		case "experiment.adopted": {
			const adopted = update(state, event.n, (e) => ({
				...(e.status === "keep" ? {} : { status: "keep", reason: event.reason, byHand: true }),
				reverted: undefined,
			}));
			return ranked({ ...adopted, standing: event.n });
		}
		case "note.added":
			return { ...state, notes: [...state.notes, { at: event.at, text: event.text }] };
		case "note.heard": {
			const { n, count } = event;
			const heard = new Set(state.notes.filter(({ heardBy }) => heardBy === undefined).slice(0, count));
			return { ...state, notes: state.notes.map((note) => (heard.has(note) ? { ...note, heardBy: n } : note)) };
		}
		case "notice":
			return {
				...state,
				notices: [...state.notices.slice(1 - NOTICES_KEPT), { at: event.at, level: event.level, text: event.text }],
			};
	}
}

/** The state with its best experiment found anew. */
function ranked(state: State): State {
	const { experiments, metric, live } = state;
	const isBetter = (a: number, b: number) => (metric.direction === "lower" ? a < b : a > b);
	let best: Experiment | undefined;
	for (const e of experiments) {
		if (e.status === "keep" && (best === undefined || isBetter(e.value!, best.value!))) best = e;
	}
	const n = best?.n ?? 0;
	if (n === state.best) return state;
	return { ...state, best: n, live: { ...live, bestCurve: live.training?.n === n ? live.curve : [] } };
}

function replace(state: State, experiment: Experiment): State {
	const experiments = state.experiments.slice();
	experiments[experiment.n - 1] = experiment;
	return { ...state, experiments };
}

function update(state: State, n: number, change: (e: Experiment) => Partial<Experiment>): State {
	const experiment = state.experiments[n - 1];
	return experiment ? replace(state, { ...experiment, ...change(experiment) }) : state;
}

export function addUsage(a: Usage | undefined, b: Usage): Usage {
	if (!a) return b;
	return {
		inputTokens: a.inputTokens + b.inputTokens,
		outputTokens: a.outputTokens + b.outputTokens,
		cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
		cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
		...(a.cost !== undefined || b.cost !== undefined ? { cost: (a.cost ?? 0) + (b.cost ?? 0) } : {}),
	};
}

/** Keeps a curve to a bounded number of points by dropping every second one when it is full. */
function addPoint(curve: [number, number][], point: [number, number]): [number, number][] {
	const thinned = curve.length < CURVE_POINTS ? curve : curve.filter((_, i) => i % 2 === 0);
	return [...thinned, point];
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
