/**
 * Opens a run: checks everything a person can have got wrong before anything trains, then puts the loop together behind
 * the Engine interface. A tag that has run before carries on.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { branchOf, Repository } from "../git/repository.ts";
import { Worktree } from "../git/worktree.ts";
import type { NewEvent } from "../journal/events.ts";
import { makeIgnored, RunDir } from "../journal/run-dir.ts";
import type { State } from "../journal/state.ts";
import { type Listener, Store } from "../journal/store.ts";
import { LAB_FILE, type Lab, loadLab } from "../lab/lab.ts";
import { ignoredLibraryFiles } from "../lab/library.ts";
import { checkTag, todaysTag } from "../lab/run-tag.ts";
import { Controls } from "../loop/controls.ts";
import { Loop } from "../loop/loop.ts";
import { type Limits, Spending } from "../loop/spending.ts";
import { Program } from "../program/program.ts";
import { type ResearcherFlags, resolveConfig } from "../researcher/config.ts";
import { createResearcher, defaultResearcher } from "../researcher/index.ts";
import type { Researcher } from "../researcher/researcher.ts";
import { resolveDevice } from "../runner/device.ts";
import { Trainer } from "../runner/trainer.ts";
import type { Engine } from "./engine.ts";
import { watchInbox } from "./inbox.ts";
import { takeLock } from "./lock.ts";
import { RunFiles } from "./run-files.ts";
import { prepareTrainer, type ReadyProgress, warmUp } from "./warm-up.ts";

export interface RunOptions {
	/** The lab's folder. */
	lab: string;
	/** The run tag; today's date, like `nov21`, when absent. */
	tag?: string;
	/** Seconds of training for each experiment; the lab's own when absent. */
	budget?: number;
	/** When the run ends by itself; never when empty. */
	limits?: Limits;
	/** Who proposes, and how; the lab's settings and the environment when absent. */
	researcher?: ResearcherFlags;
	/** Draft the next proposal while one trains; on when absent. */
	draftAhead?: boolean;
	/** 1, or what the run began with, when absent. */
	seed?: number;
	threads?: number;
	/** `auto` or a device's name; what the run began with, or `auto`, when absent. */
	device?: string;
}

const CHECK_TIMEOUT_MS = 30_000;

export interface StartListeners {
	onPrepare(progress: ReadyProgress): void;
	/** Every event of this start, from the first: what `subscribe` afterwards would miss the beginning of. */
	onEvent?: Listener;
}

/**
 * Starts, or carries on with, the run of a tag.
 * @throws UserError for what the user can mend: no lab, no git, uncommitted training code, a tag in use, …
 */
export async function startEngine(options: RunOptions, listeners: StartListeners): Promise<Engine> {
	const lab = loadLab(options.lab);
	const tag = checkTag(options.tag ?? todaysTag());
	const repository = await Repository.open(lab.dir);
	const dir = new RunDir(lab.dir, tag);
	makeIgnored(dir.path);
	const release = takeLock(dir.lock, tag);
	try {
		const store = new Store(dir.journal);
		if (listeners.onEvent) store.subscribe(listeners.onEvent);
		const { state } = store;
		const carriesOn = state.tag !== "";
		if (carriesOn) checkComparable(lab, options, state);
		else await checkFreshStart(lab, tag, repository);
		await checkBranch(repository, branchOf(tag), state);

		const program = new Program(join(lab.dir, lab.program), dir.programs, state.program.version || undefined);
		const config = resolveConfig(lab.researcher, process.env, options.researcher);
		const researcher = createResearcher(defaultResearcher(config, process.env), config, process.env);
		checkCountable(options.limits ?? {}, researcher);
		await researcher.check?.(AbortSignal.timeout(CHECK_TIMEOUT_MS));
		const threads = options.threads ?? availableParallelism();
		const asked = options.device === "auto" ? undefined : options.device;
		const wanted = asked ?? (carriesOn ? state.device : "auto");
		let chosen = "";
		const device = lab.train === "built-in" ? await resolveDevice(wanted, (line) => (chosen = line)) : wanted;
		if (carriesOn) checkDevice(device, state);
		const seed = options.seed ?? (carriesOn ? state.seed : 1);
		const budgetSeconds = options.budget ?? (carriesOn ? state.budgetSeconds : lab.budget);
		const slower = lab.train === "built-in" ? await prepareTrainer(lab, device, listeners.onPrepare) : undefined;
		if (lab.train === "built-in" && device !== "cpu" && state.experiments.length === 0)
			await warmUp({ lab, seed, threads, device }, dir.warmUp, listeners.onPrepare);
		const worktree = await Worktree.open(repository, dir.worktree);

		const facts = { budgetSeconds, researcher: researcher.name, model: researcher.model, seed, device };
		const started: NewEvent = carriesOn
			? { type: "run.continued", ...facts }
			: {
					type: "run.started",
					tag,
					branch: branchOf(tag),
					base: (await repository.resolve("HEAD"))!,
					lab: lab.dir,
					metric: lab.metric,
					...facts,
				};
		await store.emit(started);
		if (chosen) await store.emit({ type: "notice", level: "info", text: chosen });
		if (slower) await store.emit({ type: "notice", level: "warn", text: slower });
		const ignored = ignoredLibraryFiles(lab);
		if (ignored.length > 0) await store.emit({ type: "notice", level: "warn", text: ignoredNotice(ignored) });
		const { version, text } = program.current;
		if (version !== state.program.version) {
			await store.emit({ type: "program.changed", version, lines: text.trimEnd().split("\n").length });
		}

		const trainer = new Trainer({ lab, budgetSeconds, seed, threads, device });
		const controls = new Controls();
		const spending = new Spending(store, options.limits ?? {});
		const loop = new Loop(
			{ lab, tag, dir, store, repository, worktree, program, researcher, trainer, spending, controls },
			{ draftAhead: (options.draftAhead ?? true) && !researcher.isInstant },
		);
		const closeInbox = watchInbox(dir.inbox, (text) => loop.command({ type: "note", text }));
		return {
			get state() {
				return store.state;
			},
			subscribe: (listener) => store.subscribe(listener),
			command: (command) => loop.command(command),
			read: new RunFiles(dir, repository, program, () => store.state),
			programPath: async () => program.path,
			finished: loop.run().finally(async () => {
				await closeInbox();
				store.close();
				release();
			}),
		};
	} catch (error) {
		release();
		throw error;
	}
}

/** Says that edits of the tensor library have no effect. */
function ignoredNotice(files: string[]): string {
	const [first, ...others] = files;
	const which = others.length > 0 ? `${first} and ${others.length} more differ` : `${first} differs`;
	return `${which} from the console's own library, which is what the training file gets: an edit there has no effect`;
}

/** A run starts from HEAD: code that is not committed would silently not be in it. */
async function checkFreshStart(lab: Lab, tag: string, repository: Repository): Promise<void> {
	const dirty = await repository.uncommitted(lab.edit);
	if (dirty.length > 0) {
		throw new UserError(
			`${dirty.join(", ")} has uncommitted changes, and a run starts from the last commit: commit or stash them first`,
		);
	}
	for (const path of lab.edit) {
		if (await repository.exists("HEAD", path)) continue;
		throw new UserError(`${LAB_FILE}: edit: ${path} is not in the last commit of ${repository.root}`);
	}
	if (await repository.resolve(`refs/heads/${branchOf(tag)}`)) {
		throw new UserError(
			`the branch ${branchOf(tag)} exists, but results/${tag} does not know it: choose another --tag, or delete the branch with "git branch -D ${branchOf(tag)}"`,
		);
	}
}

/** Numbers measured under other conditions must not meet in one table. */
function checkComparable(lab: Lab, options: RunOptions, { tag, budgetSeconds, metric }: State): void {
	if (options.budget !== undefined && options.budget !== budgetSeconds) {
		throw new UserError(
			`run ${tag} gives each experiment ${budgetSeconds} s, not ${options.budget} s, and its numbers would not compare: leave --budget out to carry on, or start another run with --tag NAME`,
		);
	}
	if (metric.name !== lab.metric.name || metric.direction !== lab.metric.direction) {
		throw new UserError(
			`run ${tag} measures ${metric.name} (${metric.direction} is better), ${LAB_FILE} says otherwise: start another run with --tag NAME`,
		);
	}
}

/** A limit that nobody counts towards would never be reached. */
function checkCountable({ tokens, cost }: Limits, { name, counts }: Researcher): void {
	const flag = tokens !== undefined ? "--max-tokens" : "--max-cost";
	if (!counts && (tokens ?? cost) !== undefined) {
		throw new UserError(
			`the researcher ${name} does not count what it spends, so ${flag} would never be reached: leave it out, or use --researcher anthropic`,
		);
	}
	if (cost !== undefined && counts !== "cost") {
		throw new UserError(
			`--max-cost needs prices: set researcher.${name}.prices in ${LAB_FILE} to those of a million tokens, like { "input": 5, "output": 25 }`,
		);
	}
}

/** Two GPUs of one machine and kind compare; a GPU and a CPU, or a software device, do not. */
function checkDevice(chosen: string, { tag, device }: State): void {
	const kindOf = (name: string) => name.replace(/:\d+$/, "");
	if (kindOf(chosen) === kindOf(device)) return;
	throw new UserError(
		`run ${tag} trains on ${device}, not on ${chosen}, and in the same time another device learns more or less: leave --device out to carry on, or start another run with --tag NAME`,
	);
}

/** The branch is the loop's to move, which it cannot be while somebody works on it. */
async function checkBranch(repository: Repository, branch: string, { tag, base }: State): Promise<void> {
	if (await repository.checkedOut(branch)) {
		throw new UserError(
			`${branch} is checked out, and the run moves it: switch to another branch first, for example "git switch -"`,
		);
	}
	const tip = await repository.resolve(`refs/heads/${branch}`);
	if (!tag || !tip || tip === base) return;
	const ours = new Set((await repository.experimentRefs(tag)).values());
	if (ours.has(tip)) return;
	throw new UserError(
		`${branch} stands on ${tip.slice(0, 7)}, which is no experiment of this run: rename it with "git branch -m ${branch} NAME" and start again, and nothing is lost`,
	);
}
