/**
 * The worktree experiments happen in, under results/<tag>/worktree, on a detached HEAD. Commits are made with plumbing
 * (write-tree, commit-tree, reset), which runs none of the user's hooks and asks for no signature.
 */
import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type SimpleGit, simpleGit } from "simple-git";
import type { Repository } from "./repository.ts";
import { silently } from "./run-git.ts";
import { SETTINGS } from "./settings.ts";

export interface CommitStat {
	commit: string;
	added: number;
	removed: number;
}

export class Worktree {
	readonly dir: string;
	/** The lab's folder inside the worktree. */
	readonly labDir: string;
	readonly #repository: Repository;
	readonly #git: SimpleGit;
	/** Its own part of .git, where a killed git may have left a lock. */
	readonly #gitDir: string;
	/** The commit it stands on, as long as nothing has run in it since. */
	#pristine?: string;

	private constructor(repository: Repository, dir: string, gitDir: string) {
		this.dir = dir;
		this.labDir = join(dir, repository.prefix);
		this.#repository = repository;
		this.#gitDir = gitDir;
		this.#git = simpleGit({ baseDir: dir, config: SETTINGS });
	}

	/** Opens the worktree at `dir`; makes it when it is missing or damaged. */
	static async open(repository: Repository, dir: string): Promise<Worktree> {
		const main = simpleGit({ baseDir: repository.root });
		if (!(await isWorktree(dir))) {
			rmSync(dir, { recursive: true, force: true });
			mkdirSync(dirname(dir), { recursive: true });
			await main.raw(["worktree", "prune"]);
			await main.raw(["worktree", "add", "--quiet", "--no-checkout", "--detach", dir, "HEAD"]);
		}
		const gitDir = (await simpleGit({ baseDir: dir }).revparse(["--absolute-git-dir"])).trim();
		return new Worktree(repository, realpathSync(dir), gitDir);
	}

	/** Makes the worktree's tracked files those of `commit` and removes what a run left behind; ignored files stay. */
	async checkout(commit: string): Promise<void> {
		if (this.#pristine === commit) return;
		this.#pristine = undefined;
		rmSync(join(this.#gitDir, "index.lock"), { force: true });
		await silently(this.dir, "reset", "--quiet", "--hard", commit);
		await silently(this.dir, "clean", "--quiet", "-d", "--force");
		this.#pristine = commit;
	}

	/** To be called before a program runs in it, which may leave anything behind. */
	handOver(): void {
		this.#pristine = undefined;
	}

	/**
	 * Commits new texts of lab files on top of `parent`, and points `ref` at the commit before anything else can happen
	 * to it.
	 */
	async commit(
		parent: string,
		files: { path: string; text: string }[],
		message: string,
		ref: string,
	): Promise<CommitStat> {
		await this.checkout(parent);
		this.#pristine = undefined;
		for (const { path, text } of files) {
			const target = join(this.labDir, path);
			mkdirSync(dirname(target), { recursive: true });
			writeFileSync(target, text);
		}
		const paths = files.map(({ path }) => this.#repository.path(path));
		await silently(this.dir, "--literal-pathspecs", "add", "--force", "--", ...paths);
		const tree = (await this.#git.raw(["write-tree"])).trim();
		const commit = (await this.#git.raw(["commit-tree", tree, "-p", parent, "-m", message])).trim();
		await this.#repository.setRef(ref, commit);
		await silently(this.dir, "reset", "--quiet", "--soft", commit);
		this.#pristine = commit;
		const stat = await this.#git.raw(["diff-tree", "-r", "--numstat", parent, commit]);
		const counts = stat
			.split("\n")
			.filter(Boolean)
			.map((line) => line.split("\t").map(Number));
		const sum = (column: number) => counts.reduce((total, row) => total + (row[column] || 0), 0);
		return { commit, added: sum(0), removed: sum(1) };
	}
}

async function isWorktree(dir: string): Promise<boolean> {
	if (!existsSync(join(dir, ".git"))) return false;
	try {
		const top = (await simpleGit({ baseDir: dir }).revparse(["--show-toplevel"])).trim();
		return realpathSync(top) === realpathSync(dir);
	} catch {
		return false;
	}
}
