/** Every path under results/<tag>: no other file spells one. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The folder of all runs of a lab. */
export function resultsDir(labDir: string): string {
	return join(labDir, "results");
}

/**
 * Makes a folder of ours and keeps it out of the user's git status. The .gitignore lies in it, not in results/, where
 * the user may have files and a .gitignore of their own.
 */
export function makeIgnored(dir: string): void {
	mkdirSync(dir, { recursive: true });
	const ignore = join(dir, ".gitignore");
	if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
}

/** The folder of one run: results/<tag>. */
export class RunDir {
	readonly path: string;

	constructor(labDir: string, tag: string) {
		this.path = join(resultsDir(labDir), tag);
	}

	/** The append-only log of everything that happened. */
	get journal(): string {
		return join(this.path, "journal.jsonl");
	}

	/** The table, rebuilt from the journal at will. */
	get resultsTsv(): string {
		return join(this.path, "results.tsv");
	}

	/** Names the process that runs this tag. */
	get lock(): string {
		return join(this.path, "engine.lock");
	}

	/** The git worktree that experiments run in. */
	get worktree(): string {
		return join(this.path, "worktree");
	}

	/** Every version of program.md that steered. */
	get programs(): string {
		return join(this.path, "program");
	}

	/** Notes left by other processes. */
	get inbox(): string {
		return join(this.path, "inbox");
	}

	/** What the two steps before the baseline on a GPU leave; removed after them. */
	get warmUp(): ExperimentDir {
		return new ExperimentDir(join(this.path, "warm-up"));
	}

	/** The checkouts that coding agents work in. */
	get agents(): string {
		return join(this.path, "agents");
	}

	/** The folder of experiment `n`. */
	experiment(n: number): ExperimentDir {
		return new ExperimentDir(join(this.path, "experiments", String(n).padStart(4, "0")));
	}
}

/** The folder of one training run: an experiment's, or one made by hand. */
export class ExperimentDir {
	readonly path: string;

	constructor(path: string) {
		this.path = path;
	}

	/** Makes the folder when it is missing. */
	make(): this {
		mkdirSync(this.path, { recursive: true });
		return this;
	}

	/** The diff that was committed. */
	get proposal(): string {
		return join(this.path, "proposal.diff");
	}

	/** What the trainer printed. */
	get log(): string {
		return join(this.path, "train.log");
	}

	/** What the evaluation printed. */
	get evaluationLog(): string {
		return join(this.path, "evaluate.log");
	}

	/** Names the process that trains or evaluates while it runs. */
	get pid(): string {
		return join(this.path, "process.pid");
	}

	/** The trained model; kept for the best experiment only. */
	get model(): string {
		return join(this.path, "model");
	}

	/** What the built-in trainer's own clock measured. */
	get training(): string {
		return join(this.path, "training.json");
	}
}
