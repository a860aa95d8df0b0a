/**
 * What follows from the journal: the branch, the refs, the notes and results.tsv. All of it can be redone at any time, so
 * a kill between an event and its consequences costs nothing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { branchOf, experimentRef, type Repository } from "../git/repository.ts";
import { writeResults } from "../journal/results-tsv.ts";
import { type Experiment, inFlight, type State, standingOn } from "../journal/state.ts";
import type { Store } from "../journal/store.ts";
import { parseProgress } from "../runner/progress.ts";
import { LOG, pidPath } from "../runner/trainer.ts";
import { endLeftover } from "../subprocess/process.ts";

export interface Places {
	tag: string;
	/** results/<tag>. */
	dir: string;
	store: Store;
	repository: Repository;
}

/** The folder of experiment `n`'s diff, logs, numbers and, for the best, model. */
export function experimentPath(runDir: string, n: number): string {
	return join(runDir, "experiments", String(n).padStart(4, "0"));
}

/** The same, made when missing. */
export function experimentDir(runDir: string, n: number): string {
	const dir = experimentPath(runDir, n);
	mkdirSync(dir, { recursive: true });
	return dir;
}

/** The folder of the checkouts that coding agents work in. */
export function agentsPath(runDir: string): string {
	return join(runDir, "agents");
}

/** Brings branch, table and note in line with an experiment that was decided, reverted or adopted. */
export async function settle({ tag, dir, store, repository }: Places, experiment: Experiment): Promise<void> {
	const { state } = store;
	await moveBranch(tag, repository, state);
	writeResults(join(dir, "results.tsv"), state);
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
	if (running && endLeftover(pidPath(experimentDir(dir, running.n)))) {
		const text = `ended the trainer of experiment ${running.n}, left over from a console that was killed`;
		await store.emit({ type: "notice", level: "warn", text });
	}
	await endAgents(dir, store);
	await moveBranch(tag, repository, state);
	const refs = await repository.experimentRefs(tag);
	for (const { n, commit } of state.experiments) {
		if (commit && refs.get(n) !== commit) await repository.setRef(experimentRef(tag, n), commit);
	}
	writeResults(join(dir, "results.tsv"), state);
	recallBestCurve(dir, store);
}

/** Ends the coding agents a killed console left at work, and removes their checkouts. */
async function endAgents(dir: string, store: Store): Promise<void> {
	const agents = agentsPath(dir);
	if (!existsSync(agents)) return;
	for (const name of readdirSync(agents).filter((name) => name.endsWith(".pid"))) {
		if (!endLeftover(join(agents, name))) continue;
		const text = `ended the coding agent of experiment ${Number.parseInt(name, 10)}, left over from a console that was killed`;
		await store.emit({ type: "notice", level: "warn", text });
	}
	rmSync(agents, { recursive: true, force: true, maxRetries: 3 });
}

/** Shows how the best run went where it was not the last one trained before our eyes: its log tells. */
function recallBestCurve(dir: string, store: Store): void {
	const { best, live, budgetSeconds } = store.state;
	const path = join(experimentPath(dir, best), LOG);
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
