/**
 * The state of a run is a pure fold over its events. Nothing here reads a clock, a file or a screen; the same journal
 * always gives the same state, which is how a killed run carries on.
 */
import type { JournalEvent, Tick } from "./events.ts";
import { isBetter } from "./metric.ts";
import { type Experiment, inFlight, type State } from "./state.ts";
import { addUsage } from "./usage.ts";

const CURVE_POINTS = 400;
const NOTICES_KEPT = 500;

/** The state after one more event. Never mutates its argument; parts that did not change keep their identity. */
export function fold(state: State, event: JournalEvent | Tick): State {
	switch (event.type) {
		case "tick.phase": {
			const { phase, n, note, until } = event;
			// The progress and the curve on the screen belong to an earlier training run.
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

/** Counts the time since the last event as work on the experiment in flight, less the time it waited or did not run. */
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
			const restarted = { until: undefined, stopped: undefined, stopAfter: undefined, paused: false, setAside: false };
			return { ...state, ...run, ...restarted };
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

/** The state with its best experiment determined again, after one was kept, reverted or adopted. */
function ranked(state: State): State {
	const { experiments, metric, live } = state;
	let best: Experiment | undefined;
	for (const e of experiments) {
		if (e.status === "keep" && isBetter(metric, e.value!, best?.value)) best = e;
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

/** Keeps a curve to a bounded number of points by dropping every second one when it is full. */
function addPoint(curve: [number, number][], point: [number, number]): [number, number][] {
	const thinned = curve.length < CURVE_POINTS ? curve : curve.filter((_, i) => i % 2 === 0);
	return [...thinned, point];
}
