/**
 * What follows from the journal: the branch, the refs, the notes and results.tsv. All of it can be redone at any time,
 * so a run that was killed between an event and its effect is brought in line by doing it again.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { branchOf, experimentRef, type Repository } from "../git/repository.ts";
import { writeResults } from "../journal/results-tsv.ts";
import type { RunDir } from "../journal/run-dir.ts";
import { type Experiment, inFlight, type State, standingOn } from "../journal/state.ts";
import type { Store } from "../journal/store.ts";
import { parseProgress } from "../runner/progress.ts";
import { endLeftover } from "../subprocess/group.ts";
import type { RunContext } from "./run-context.ts";

type Places = Pick<RunContext, "tag" | "dir" | "store" | "repository">;

/** Brings branch, table and note in line with an experiment that was decided, reverted or adopted. */
export async function applyDecision({ tag, dir, store, repository }: Places, experiment: Experiment): Promise<void> {
	const { state } = store;
	await moveBranch(tag, repository, state);
	writeResults(dir.resultsTsv, state);
	recallBestCurve(dir, store);
	if (!experiment.commit) return;
	const { n, value, status, reason, title, program } = experiment;
	const lines = [
		`experiment: ${n} of ${tag}`,
		`title: ${title}`,
		`status: ${status} (${reason})`,
		`program: ${program}`,
	];
	if (value !== undefined) lines.push(`${state.metric.name}: ${value.toFixed(6)}`);
	await repository.note(experiment.commit, lines.join("\n"));
}

/** At start: ends what a killed console left running, and redoes what follows from the journal. */
export async function reconcile({ tag, dir, store, repository }: Places): Promise<void> {
	const { state } = store;
	const running = inFlight(state);
	if (running && endLeftover(dir.experiment(running.n).pid)) {
		const text = `ended the trainer of experiment ${running.n}, left over from a console that was killed`;
		await store.emit({ type: "notice", level: "warn", text });
	}
	await endAgents(dir, store);
	await moveBranch(tag, repository, state);
	const refs = await repository.experimentRefs(tag);
	for (const { n, commit } of state.experiments) {
		if (commit && refs.get(n) !== commit) await repository.setRef(experimentRef(tag, n), commit);
	}
	writeResults(dir.resultsTsv, state);
	recallBestCurve(dir, store);
}

/** Ends the coding agents a killed console left running, and removes their checkouts. */
async function endAgents({ agents }: RunDir, store: Store): Promise<void> {
	if (!existsSync(agents)) return;
	for (const name of readdirSync(agents).filter((name) => name.endsWith(".pid"))) {
		if (!endLeftover(join(agents, name))) continue;
		const n = Number.parseInt(name, 10);
		const text = `ended the coding agent of experiment ${n}, left over from a console that was killed`;
		await store.emit({ type: "notice", level: "warn", text });
	}
	rmSync(agents, { recursive: true, force: true, maxRetries: 3 });
}

/** Rebuilds the best run's loss curve from its log after a restart or a move of the branch. */
function recallBestCurve(dir: RunDir, store: Store): void {
	const { best, live, budgetSeconds } = store.state;
	const path = dir.experiment(best).log;
	if (live.bestCurve.length > 0 || !existsSync(path)) return;
	const curve = readFileSync(path, "utf8")
		.split(/[\r\n]+/)
		.flatMap((line): [number, number][] => {
			const progress = parseProgress(line, budgetSeconds);
			return progress ? [[progress.elapsed, progress.loss]] : [];
		});
	store.tick({ type: "tick.best-curve", curve });
}

function moveBranch(tag: string, repository: Repository, state: State): Promise<void> {
	return repository.setRef(`refs/heads/${branchOf(tag)}`, standingOn(state)?.commit ?? state.base);
}
