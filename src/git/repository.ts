/**
 * The user's repository, as far as the loop may touch it: it reads commits, and writes only its own branch
 * `autoresearch/<tag>`, its own refs and notes, and objects. Never the user's checkout, index, stash or other branches.
 */
import { realpathSync } from "node:fs";
import { relative } from "node:path";
import { type SimpleGit, simpleGit } from "simple-git";
import { messageOf, UserError } from "../errors.ts";
import { silently } from "./run-git.ts";
import { SETTINGS } from "./settings.ts";

const NOTES_REF = "refs/notes/autoresearch";

export function branchOf(tag: string): string {
	return `autoresearch/${tag}`;
}

export function experimentRef(tag: string, n: number): string {
	return `refs/autoresearch/${tag}/${String(n).padStart(4, "0")}`;
}

/** Where a commit that crashed is kept when its author repaired it under the same number. */
export function repairedRef(tag: string, n: number, repair: number): string {
	return `refs/autoresearch-repaired/${tag}/${String(n).padStart(4, "0")}-${repair + 1}`;
}

export class Repository {
	/** Where the repository's checkout begins, absolute and real. */
	readonly root: string;
	/** The lab's folder relative to the root; empty when the lab is the root. */
	readonly prefix: string;
	readonly #git: SimpleGit;

	private constructor(root: string, prefix: string) {
		this.root = root;
		this.prefix = prefix;
		this.#git = simpleGit({ baseDir: root, config: SETTINGS });
	}

	/** Opens the repository that holds `labDir`. Throws UserError when there is none, or none with a commit. */
	static async open(labDir: string): Promise<Repository> {
		let root: string;
		try {
			root = realpathSync((await simpleGit({ baseDir: labDir }).revparse(["--show-toplevel"])).trim());
		} catch (error) {
			if (/not a git repository/i.test(messageOf(error))) {
				throw new UserError(
					`${labDir} is not in a git repository: run "git init && git add . && git commit -m start" there first`,
				);
			}
			throw new UserError(`git cannot open ${labDir}: ${messageOf(error)}`);
		}
		const repository = new Repository(root, relative(root, realpathSync(labDir)).replaceAll("\\", "/"));
		if (!(await repository.resolve("HEAD"))) {
			throw new UserError(`the repository at ${root} has no commit yet: commit the lab first`);
		}
		return repository;
	}

	/** The path of a lab file as git names it, from the repository's root. */
	path(labPath: string): string {
		return this.prefix ? `${this.prefix}/${labPath}` : labPath;
	}

	/** The full commit id `revision` stands for; undefined when there is none. */
	async resolve(revision: string): Promise<string | undefined> {
		try {
			return (
				(
					await this.#git.raw(["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`])
				).trim() || undefined
			);
		} catch {
			return undefined;
		}
	}

	/** Those of `labPaths` whose content in the user's checkout is not what HEAD holds. */
	async uncommitted(labPaths: string[]): Promise<string[]> {
		const out = await this.#git.raw([
			"--literal-pathspecs",
			"status",
			"--porcelain",
			"-z",
			"--no-renames",
			"--untracked-files=all",
			"--",
			...labPaths.map((p) => this.path(p)),
		]);
		return out
			.split("\0")
			.filter((entry) => entry.length > 3)
			.map((entry) => entry.slice(3));
	}

	/** The text of a lab file at a commit. Rejects for anything but a file. */
	async show(commit: string, labPath: string): Promise<string> {
		return this.#git.raw(["cat-file", "blob", `${commit}:${this.path(labPath)}`]);
	}

	/** Paths of the lab's files at a commit. */
	async list(commit: string): Promise<string[]> {
		const out = await this.#git.raw([
			"ls-tree",
			"-r",
			"--name-only",
			"-z",
			commit,
			"--",
			this.prefix ? `${this.prefix}/` : ".",
		]);
		const start = this.prefix ? this.prefix.length + 1 : 0;
		return out
			.split("\0")
			.filter(Boolean)
			.map((path) => path.slice(start));
	}

	async exists(commit: string, labPath: string): Promise<boolean> {
		return (await this.#git.raw(["ls-tree", "--name-only", commit, "--", this.path(labPath)])).trim() !== "";
	}

	/**
	 * The unified diff from one commit to another, with three lines of context. The plumbing command ignores the user's
	 * settings and conversions for `git diff`, so the same two commits give the same text everywhere.
	 */
	async diff(from: string, to: string): Promise<string> {
		return this.#git.raw(["diff-tree", "--patch", "--find-renames", "--no-ext-diff", from, to]);
	}

	/** Whether any checkout, the user's or another, stands on `branch`. */
	async checkedOut(branch: string): Promise<boolean> {
		const list = await this.#git.raw(["worktree", "list", "--porcelain"]);
		return list.split("\n").includes(`branch refs/heads/${branch}`);
	}

	/** Points a ref of ours at a commit. */
	setRef(ref: string, commit: string): Promise<void> {
		return silently(this.root, "update-ref", ref, commit);
	}

	/** Commits by number under refs/autoresearch/<tag>. */
	async experimentRefs(tag: string): Promise<Map<number, string>> {
		const prefix = `refs/autoresearch/${tag}/`;
		const out = await this.#git.raw(["for-each-ref", "--format=%(refname) %(objectname)", prefix]);
		const lines = out.split("\n").filter(Boolean);
		return new Map(lines.map((line) => [Number(line.slice(prefix.length).split(" ")[0]), line.split(" ")[1]!]));
	}

	/** Attaches the measurement to a commit as a git note, so that the commit's id never changes. */
	note(commit: string, text: string): Promise<void> {
		return silently(this.root, "notes", "--ref", NOTES_REF, "add", "--force", "-m", text, commit);
	}
}
