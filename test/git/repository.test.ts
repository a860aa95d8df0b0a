/** The user's repository as the loop sees it: refs, notes, branches and diffs, in every kind of checkout users have. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import which from "which";
import { openCheckout } from "../../src/git/checkout.ts";
import { mergeTexts } from "../../src/git/merge.ts";
import { branchOf, experimentRef, Repository } from "../../src/git/repository.ts";
import { Worktree } from "../../src/git/worktree.ts";
import { tempDir } from "../support/lab.ts";

const AUTHOR = ["-c", "user.name=someone", "-c", "user.email=someone@localhost"];

/** Hides the user's own git settings, such as a `safe.directory` of everything. */
const NO_SETTINGS = {
	HOME: "/dev/null",
	XDG_CONFIG_HOME: "/dev/null",
	GIT_CONFIG_NOSYSTEM: "1",
	GIT_CONFIG_GLOBAL: "/dev/null",
};

/** Sets variables of this process for the rest of a test. */
function setEnvironment(t: TestContext, more: NodeJS.ProcessEnv): void {
	const before = { ...process.env };
	t.after(() => {
		process.env = before;
	});
	process.env = { ...before, ...more };
}

/** git in `dir`; its output without the last line end. */
function gitIn(dir: string) {
	return (...args: string[]) =>
		execFileSync("git", args, { cwd: dir, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trimEnd();
}

/** A repository with one commit of `files`. */
function made(t: TestContext, files: Record<string, string | Buffer> = { "train.js": "one\n" }) {
	const root = tempDir(t);
	const git = gitIn(root);
	const write = (path: string, text: string | Buffer) => {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), text);
	};
	const commit = (message: string) => {
		git("add", "--all");
		git(...AUTHOR, "commit", "--quiet", "--message", message);
		return git("rev-parse", "HEAD");
	};
	git("init", "--quiet", "--initial-branch=main");
	for (const [path, text] of Object.entries(files)) write(path, text);
	return { root, git, write, commit, head: commit("start") };
}

/** The diff of two commits of `before` and `after`, under the user's own `settings` and attributes. */
async function diffOf(
	t: TestContext,
	before: Record<string, string | Buffer>,
	after: Record<string, string | Buffer>,
	settings: [string, string][] = [],
) {
	const { root, git, write, commit, head } = made(t, before);
	for (const [name, value] of settings) git("config", name, value);
	for (const [path, text] of Object.entries(after)) write(path, text);
	const later = commit("change");
	return (await Repository.open(root)).diff(head, later);
}

test("refs of a tag are read back by number, and those of other tags and of repairs are not among them", async (t) => {
	const { root, head } = made(t);
	const repository = await Repository.open(root);
	await repository.setRef(experimentRef("a", 1), head);
	await repository.setRef(experimentRef("a", 12_345), head);
	await repository.setRef(experimentRef("ab", 2), head);
	assert.deepEqual(
		[...(await repository.experimentRefs("a"))],
		[
			[1, head],
			[12_345, head],
		].sort(),
	);
	assert.deepEqual([...(await repository.experimentRefs("b"))], []);
});

test("a ref is set again and again, and a commit that does not exist is refused with git's words", async (t) => {
	const { root, git, write, commit, head } = made(t);
	const repository = await Repository.open(root);
	write("train.js", "two\n");
	const later = commit("later");
	const ref = experimentRef("a", 1);
	for (const target of [head, later, later, head]) await repository.setRef(ref, target);
	assert.equal(git("rev-parse", ref), head);
	await assert.rejects(repository.setRef(ref, "1".repeat(40)), /1111111/);
	assert.equal(git("rev-parse", ref), head);
});

test("a note is replaced by a later one, keeps its text, and leaves the commit's id", async (t) => {
	const { root, git, head } = made(t);
	const repository = await Repository.open(root);
	await repository.note(head, "experiment: 1\n# not a comment\n\nstatus: keep");
	await repository.note(head, "experiment: 1\nstatus: discard (größer)");
	assert.equal(git("notes", "--ref", "autoresearch", "show", head), "experiment: 1\nstatus: discard (größer)");
	assert.equal(git("rev-parse", "HEAD"), head);
});

test("a branch is seen as checked out in any worktree, and one of a similar name is not", async (t) => {
	const { root, git } = made(t);
	const repository = await Repository.open(root);
	const branch = branchOf("t");
	git("branch", branch);
	assert.equal(await repository.checkedOut(branch), false);
	git("worktree", "add", "--quiet", join(tempDir(t), "other"), branch);
	assert.equal(await repository.checkedOut(branch), true);
	assert.equal(await repository.checkedOut(branchOf("t2")), false);
	assert.equal(await repository.checkedOut("main"), true);
});

test("revisions that name no commit are undefined: nothing, a tree, an option", async (t) => {
	const { root, git, head } = made(t);
	const repository = await Repository.open(root);
	git(...AUTHOR, "tag", "--annotate", "--message", "v1", "v1");
	assert.equal(await repository.resolve("v1"), head);
	for (const revision of ["nothing", "HEAD^{tree}", "--all", "", `${head}~1`])
		assert.equal(await repository.resolve(revision), undefined, revision);
});

test("a path outside ASCII stands in a diff as it is named", async (t) => {
	const diff = await diffOf(t, { "трен ü.py": "one\n" }, { "трен ü.py": "two\n" });
	assert.match(diff, /^\+\+\+ b\/трен ü\.py\t?$/m);
});

test("a diff has three lines of context and git's own form, whatever the user's settings say", async (t) => {
	const lines = Array.from({ length: 20 }, (_, i) => `line ${i}`);
	const before = `${lines.join("\n")}\n`;
	const after = before.replace("line 10", "line ten");
	const settings: [string, string][] = [
		["diff.context", "0"],
		["diff.interHunkContext", "9"],
		["diff.noprefix", "true"],
		["diff.mnemonicPrefix", "true"],
		["diff.external", "/bin/false"],
		["diff.wsErrorHighlight", "all"],
		["diff.algorithm", "patience"],
		["diff.relative", "true"],
		["diff.suppressBlankEmpty", "true"],
		["color.ui", "always"],
		["core.quotepath", "true"],
	];
	const plain = await diffOf(t, { "a.js": before }, { "a.js": after });
	assert.equal(await diffOf(t, { "a.js": before }, { "a.js": after }, settings), plain);
	assert.equal(plain.split("\n").filter((line) => line.startsWith(" ")).length, 6);
});

test("a diff shows what the file holds, not what a text conversion of the user makes of it", async (t) => {
	const attributes = { ".gitattributes": "*.py diff=shout\n" };
	const settings: [string, string][] = [["diff.shout.textconv", "tr a-z A-Z <"]];
	const diff = await diffOf(t, { ...attributes, "a.py": "one\n" }, { "a.py": "two\n" }, settings);
	assert.match(diff, /^-one\n\+two$/m);
});

test("binary files, mode changes and renames are told in a diff", async (t) => {
	const binary = await diffOf(t, { data: Buffer.from([0, 1, 2]) }, { data: Buffer.from([0, 3]) });
	assert.match(binary, /Binary files a\/data and b\/data differ/);
	const { root, git, write, commit, head } = made(t, { "a.sh": "one\n", "b.js": "1\n2\n3\n4\n" });
	const repository = await Repository.open(root);
	chmodSync(join(root, "a.sh"), 0o755);
	const mode = commit("mode");
	assert.match(await repository.diff(head, mode), /old mode 100644\nnew mode 100755/);
	git("mv", "b.js", "c.js");
	write("c.js", "1\n2\n3\n5\n");
	const diff = await repository.diff(mode, commit("rename"));
	assert.match(diff, /rename from b\.js\nrename to c\.js/);
});

test("uncommitted changes are named by their paths: a rename, a name with blanks, one outside ASCII", async (t) => {
	const { root, git, write } = made(t, { "a.js": "one\n", "b c.js": "one\n", "ü.js": "one\n" });
	const repository = await Repository.open(root);
	assert.deepEqual(await repository.uncommitted(["a.js", "b c.js", "ü.js"]), []);
	write("b c.js", "two\n");
	write("ü.js", "two\n");
	git("mv", "a.js", "z.js");
	assert.deepEqual((await repository.uncommitted(["a.js", "b c.js", "z.js", "ü.js"])).sort(), [
		"a.js",
		"b c.js",
		"z.js",
		"ü.js",
	]);
});

test("a lab file whose name looks like a pattern stands for itself only", async (t) => {
	const { root, write, head } = made(t, { "[ab].js": "one\n", "a.js": "one\n" });
	const repository = await Repository.open(root);
	write("a.js", "two\n");
	assert.deepEqual(await repository.uncommitted(["[ab].js"]), []);
	assert.equal(await repository.exists(head, "[ab].js"), true);
	const worktree = await Worktree.open(repository, join(tempDir(t), "worktree"));
	await worktree.checkout(head);
	const { commit } = await worktree.commit(head, [{ path: "[ab].js", text: "two\n" }], "change", experimentRef("t", 1));
	assert.match(await repository.diff(head, commit), /^\+\+\+ b\/\[ab\]\.js$/m);
});

test("a lab in a sub-folder has its own paths, and what is outside it is not its", async (t) => {
	const { root, write, head } = made(t, { "labs/small/train.js": "one\n", "labs/small2/x.js": "x\n", "y.js": "y\n" });
	const repository = await Repository.open(join(root, "labs/small"));
	assert.equal(repository.root, root);
	assert.deepEqual(await repository.list(head), ["train.js"]);
	assert.equal(await repository.show(head, "train.js"), "one\n");
	assert.equal(await repository.exists(head, "y.js"), false);
	write("y.js", "two\n");
	assert.deepEqual(await repository.uncommitted(["train.js"]), []);
	await using checkout = await openCheckout(repository, head, join(tempDir(t), "agent"));
	writeFileSync(join(checkout.dir, "train.js"), "two\n");
	writeFileSync(join(checkout.dir, "../../y.js"), "two\n");
	gitIn(checkout.dir)("mv", "../small2/x.js", "../small2/z.js");
	const changed = ["../labs/small2/x.js", "../labs/small2/z.js", "../y.js", "train.js"];
	assert.deepEqual((await checkout.changed()).sort(), changed);
});

test("a detached HEAD and a linked worktree are repositories like any other", async (t) => {
	const { root, git, head } = made(t);
	git("switch", "--quiet", "--detach");
	assert.equal(await (await Repository.open(root)).resolve("HEAD"), head);
	const linked = join(tempDir(t), "linked");
	git("worktree", "add", "--quiet", "-b", "side", linked);
	const repository = await Repository.open(linked);
	assert.equal(repository.root, linked);
	const worktree = await Worktree.open(repository, join(linked, "results/t/worktree"));
	const ref = experimentRef("t", 1);
	const { commit } = await worktree.commit(head, [{ path: "train.js", text: "two\n" }], "change", ref);
	assert.equal(git("rev-parse", ref), commit);
	assert.equal(gitIn(linked)("rev-parse", "HEAD"), head);
});

test("a shallow clone carries a run: worktree, commit, diff, and a checkout for an agent", async (t) => {
	const { root, git, write, commit } = made(t);
	write("train.js", "1\n");
	commit("second");
	const shallow = join(tempDir(t), "shallow");
	git("clone", "--quiet", "--depth", "1", `file://${root}`, shallow);
	const repository = await Repository.open(shallow);
	const tip = (await repository.resolve("HEAD"))!;
	const worktree = await Worktree.open(repository, join(tempDir(t), "worktree"));
	const changed = await worktree.commit(tip, [{ path: "train.js", text: "2\n" }], "change", experimentRef("t", 1));
	assert.match(await repository.diff(tip, changed.commit), /^-1\n\+2$/m);
	await using checkout = await openCheckout(repository, changed.commit, join(tempDir(t), "agent"));
	assert.deepEqual(await checkout.changed(), []);
});

test("without any git identity commits and notes are made all the same", async (t) => {
	const { root, git, head } = made(t);
	git("config", "user.useConfigOnly", "true");
	setEnvironment(t, NO_SETTINGS);
	const repository = await Repository.open(root);
	const worktree = await Worktree.open(repository, join(tempDir(t), "worktree"));
	const { commit } = await worktree.commit(
		head,
		[{ path: "train.js", text: "two\n" }],
		"change",
		experimentRef("t", 1),
	);
	await repository.note(commit, "status: keep");
	assert.equal(git("log", "-1", "--format=%an", commit), "autoresearch");
	assert.equal(git("notes", "--ref", "autoresearch", "show", commit), "status: keep");
});

test("variables that name another repository, as in a git hook, change nothing", async (t) => {
	const { root, git, head } = made(t);
	const other = made(t, { "x.js": "x\n" });
	setEnvironment(t, {
		GIT_DIR: join(other.root, ".git"),
		GIT_WORK_TREE: other.root,
		GIT_INDEX_FILE: join(other.root, ".git/index"),
		GIT_OBJECT_DIRECTORY: join(other.root, ".git/objects"),
	});
	const repository = await Repository.open(root);
	const worktree = await Worktree.open(repository, join(tempDir(t), "worktree"));
	const ref = experimentRef("t", 1);
	const { commit } = await worktree.commit(head, [{ path: "train.js", text: "two\n" }], "change", ref);
	await repository.note(commit, "status: keep");
	assert.equal(await mergeTexts("1\n2\n3\n4\n", "0\n2\n3\n4\n", "0\n2\n3\n5\n"), "1\n2\n3\n5\n");
	await using checkout = await openCheckout(repository, commit, join(tempDir(t), "agent"));
	assert.deepEqual(await checkout.changed(), []);
	for (const name of Object.keys(process.env).filter((name) => name.startsWith("GIT_"))) delete process.env[name];
	assert.equal(git("rev-parse", ref), commit);
	assert.deepEqual([other.git("rev-parse", "HEAD"), other.git("status", "--porcelain")], [other.head, ""]);
});

test("no repository, no commit, and a repository of somebody else are refused in a sentence", async (t) => {
	const empty = tempDir(t);
	await assert.rejects(Repository.open(empty), {
		name: "UserError",
		message: /is not in a git repository: run "git init/,
	});
	gitIn(empty)("init", "--quiet");
	await assert.rejects(Repository.open(empty), { name: "UserError", message: /has no commit yet/ });
	const { root } = made(t);
	// git with its own switch for its tests, and without the settings of whoever runs this one.
	const bin = tempDir(t);
	const variables = Object.entries({ ...NO_SETTINGS, GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" }).map((pair) =>
		pair.join("="),
	);
	writeFileSync(join(bin, "git"), `#!/bin/sh\nexec env ${variables.join(" ")} ${which.sync("git")} "$@"\n`);
	chmodSync(join(bin, "git"), 0o755);
	setEnvironment(t, { PATH: `${bin}${delimiter}${process.env.PATH}` });
	await assert.rejects(Repository.open(root), { name: "UserError", message: /dubious ownership/ });
});

test("a bare repository and the inside of .git are refused in a sentence", async (t) => {
	const { root } = made(t);
	await assert.rejects(Repository.open(join(root, ".git")), { name: "UserError" });
	const bare = tempDir(t);
	gitIn(bare)("init", "--quiet", "--bare");
	await assert.rejects(Repository.open(bare), { name: "UserError" });
	rmSync(bare, { recursive: true });
});

test("a missing file and a folder have no text", async (t) => {
	const { root, head } = made(t, { "lib/a.js": "one\n" });
	const repository = await Repository.open(root);
	assert.equal(await repository.exists(head, "nothing.js"), false);
	await assert.rejects(repository.show(head, "nothing.js"));
	await assert.rejects(repository.show(head, "lib"));
});
