/** The worktree of experiments in a real repository: damage, leftover locks, sub-folders, hooks and signing. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Repository } from "../../src/git/repository.ts";
import { Worktree } from "../../src/git/worktree.ts";
import { tempDir } from "../support/lab.ts";

const REF = "refs/autoresearch/t/0001";

/** A repository with one commit of `folder`/train.js, and the worktree of a run in it. */
async function opened(t: TestContext, folder = "") {
	const root = tempDir(t);
	const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
	git("init", "--quiet");
	git("config", "user.name", "someone");
	git("config", "user.email", "someone@localhost");
	mkdirSync(join(root, folder), { recursive: true });
	writeFileSync(join(root, folder, "train.js"), "one\n");
	git("add", "--all");
	git("commit", "--quiet", "--message", "start");
	const repository = await Repository.open(join(root, folder));
	const dir = join(tempDir(t), "worktree");
	return { root, git, repository, dir, head: git("rev-parse", "HEAD"), worktree: await Worktree.open(repository, dir) };
}

const edit = [{ path: "train.js", text: "two\n" }];

test("a damaged worktree is made again, and holds the commit that is checked out", async (t) => {
	const { repository, dir, head, worktree } = await opened(t);
	await worktree.checkout(head);
	writeFileSync(join(dir, ".git"), "gitdir: /nowhere\n");
	const again = await Worktree.open(repository, dir);
	await again.checkout(head);
	assert.equal(readFileSync(join(dir, "train.js"), "utf8"), "one\n");
	rmSync(dir, { recursive: true });
	await (await Worktree.open(repository, dir)).checkout(head);
	assert.ok(existsSync(join(dir, "train.js")));
});

test("an index.lock that a killed git left does not stop the next checkout", async (t) => {
	const { git, head, worktree } = await opened(t);
	await worktree.checkout(head);
	worktree.handOver();
	const lock = join(git("rev-parse", "--absolute-git-dir"), "worktrees/worktree/index.lock");
	writeFileSync(lock, "");
	await worktree.checkout(head);
	assert.equal(existsSync(lock), false);
});

test("a lab in a sub-folder is committed under its folder", async (t) => {
	const { git, head, worktree, repository } = await opened(t, "labs/small");
	const { commit, added, removed } = await worktree.commit(head, edit, "change", REF);
	assert.deepEqual([added, removed], [1, 1]);
	assert.equal(git("show", `${commit}:labs/small/train.js`), "two");
	assert.equal(await repository.show(commit, "train.js"), "two\n");
	assert.equal(git("rev-parse", REF), commit);
});

test("a commit runs no hook of the user's, signs nothing and leaves the user's checkout as it is", async (t) => {
	const { root, git, head, worktree } = await opened(t);
	for (const hook of ["pre-commit", "commit-msg", "prepare-commit-msg", "post-commit"]) {
		const path = join(root, ".git/hooks", hook);
		mkdirSync(join(root, ".git/hooks"), { recursive: true });
		writeFileSync(path, `#!/bin/sh\necho ${hook} >> ${join(root, ".git/ran")}\nexit 1\n`);
		chmodSync(path, 0o755);
	}
	git("config", "commit.gpgsign", "true");
	git("config", "gpg.program", "/no/such/program");
	const branch = git("symbolic-ref", "HEAD");
	const { commit } = await worktree.commit(head, edit, "change", REF);
	assert.equal(existsSync(join(root, ".git/ran")), false);
	assert.doesNotMatch(git("cat-file", "commit", commit), /gpgsig/);
	assert.deepEqual(
		[git("status", "--porcelain"), git("symbolic-ref", "HEAD"), git("rev-parse", "HEAD")],
		["", branch, head],
	);
});
