/**
 * A copy of the lab on one commit for a coding agent to work in: a repository that borrows the objects but has refs,
 * index and configuration of its own, so that whatever an agent does with git in it, the user's repository does not
 * notice.
 */
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type SimpleGit, simpleGit } from "simple-git";
import type { Repository } from "./repository.ts";

export interface Checkout extends AsyncDisposable {
	/** Absolute path of the lab's root in it. */
	readonly dir: string;
	/** Where the process that works in it is named; beside it, and removed with it. */
	readonly pidPath: string;
	/** Paths changed, added or deleted since it was made, relative to `dir`; those outside it begin with `..`. */
	changed(): Promise<string[]>;
}

export async function openCheckout(repository: Repository, commit: string, path: string): Promise<Checkout> {
	rmSync(path, { recursive: true, force: true });
	mkdirSync(dirname(path), { recursive: true });
	await borrowObjects(simpleGit({ baseDir: repository.root }), path);
	const git = simpleGit({ baseDir: path });
	await git.raw(["checkout", "--quiet", "--detach", commit]);
	const { prefix } = repository;
	const pidPath = `${path}.pid`;
	return {
		dir: join(path, prefix),
		pidPath,
		async changed() {
			const edited = await git.raw(["diff", "--name-only", "--no-renames", "-z", commit]);
			const untracked = await git.raw(["ls-files", "--others", "--exclude-standard", "-z"]);
			const paths = [...edited.split("\0"), ...untracked.split("\0")].filter(Boolean);
			return paths.map((file) =>
				prefix && file.startsWith(`${prefix}/`) ? file.slice(prefix.length + 1) : prefix ? `../${file}` : file,
			);
		},
		async [Symbol.asyncDispose]() {
			rmSync(path, { recursive: true, force: true, maxRetries: 3 });
			rmSync(pidPath, { force: true });
		},
	};
}

/**
 * Makes an empty repository at `path` that reads the objects of `git`'s. `git clone --shared` would do the same, but
 * not from a shallow clone, of which it copies the branches only.
 */
async function borrowObjects(git: SimpleGit, path: string): Promise<void> {
	const format = (await git.revparse(["--show-object-format"])).trim();
	await git.raw(["init", "--quiet", `--object-format=${format}`, path]);
	const lender = (await git.revparse(["--path-format=absolute", "--git-common-dir"])).trim();
	writeFileSync(join(path, ".git/objects/info/alternates"), `${join(lender, "objects")}\n`);
	const shallow = join(lender, "shallow");
	if (existsSync(shallow)) copyFileSync(shallow, join(path, ".git/shallow"));
}
