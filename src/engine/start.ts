/**
 * Opens a run: checks everything a person can have got wrong before anything trains, then puts the loop together behind
 * the Engine interface. A tag that has run before carries on.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { branchOf, Repository } from "../git/repository.ts";
import { Worktree } from "../git/worktree.ts";
import type { NewEvent } from "../journal/events.ts";
import { makeIgnored, RunDir } from "../journal/run-dir.ts";
import { type Listener, Store } from "../journal/store.ts";
import { loadLab } from "../lab/lab.ts";
import { ignoredLibraryFiles } from "../lab/library.ts";
import { checkTag, todaysTag } from "../lab/run-tag.ts";
import { Controls } from "../loop/controls.ts";
import { Loop } from "../loop/loop.ts";
import { type RunLimits, Spending } from "../loop/spending.ts";
import { Program } from "../program/program.ts";
import { type ResearcherFlags, resolveConfig } from "../researcher/config.ts";
import { createResearcher, defaultResearcher } from "../researcher/index.ts";
import { resolveDevice } from "../runner/device.ts";
import { Trainer } from "../runner/trainer.ts";
import { checkBranch, checkComparable, checkCountable, checkDevice, checkFreshStart } from "./checks.ts";
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
	limits?: RunLimits;
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
		if (carriesOn) checkComparable(lab, options.budget, state);
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
