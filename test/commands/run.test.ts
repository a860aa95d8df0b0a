/** `autoresearch run` and the commands beside it, as shipped: rows, refs, output, messages and exit codes. */
import assert from "node:assert/strict";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { cli, saying, start } from "../support/cli.ts";
import { type LabFolder, makeLab, tempDir } from "../support/lab.ts";

const run = (t: TestContext, lab: LabFolder, ...args: string[]) =>
	cli(t, ["run", "--lab", lab.dir, "--tag", "demo", ...args]);
const rows = (lab: LabFolder, tag = "demo") =>
	readFileSync(join(lab.dir, "results", tag, "results.tsv"), "utf8")
		.trimEnd()
		.split("\n")
		.slice(1)
		.map((line) => line.split("\t"));

test("a run of twelve: a table, a branch of the kept, a ref for each, and the user's checkout as it was", async (t) => {
	const lab = makeLab(t);
	lab.write("notes.txt", "mine\n");
	lab.write("program.md", "Try what you like.\nI am still writing this");
	lab.git("stash", "push", "--quiet", "--message", "mine too");
	lab.write("trainer.log", "left here\n");
	lab.write("notes.txt", "mine\n");
	const before = [
		lab.git("status", "--porcelain"),
		lab.git("stash", "list"),
		lab.git("branch", "--show-current"),
		lab.git("rev-parse", "HEAD"),
	];

	const { code, stdout, stderr } = await run(t, lab, "--experiments", "12", "--seed", "1");
	assert.equal(code, 0, stderr);
	assert.match(stdout, /stopped: 12 experiments done; best val_bpb [\d.]+ by #\d+ \(baseline 2\.191629\)/);

	const table = rows(lab);
	assert.equal(table.length, 12);
	const best = Math.min(...table.map((row) => Number(row[1])));
	assert.ok(best < Number(table[0]![1]));
	for (const row of table) assert.match(row.join("\t"), /^[0-9a-f]{7}\t\d\.\d{6}\t0\.5\t(keep|discard)\t[^\t]+$/);

	const kept = table.filter((row) => row[3] === "keep").map((row) => row[0]);
	assert.deepEqual(lab.git("log", "--format=%h", "--abbrev=7", "--reverse", "autoresearch/demo").split("\n"), kept);
	assert.equal(lab.git("for-each-ref", "refs/autoresearch/demo").split("\n").length, 12);

	const after = [
		lab.git("status", "--porcelain"),
		lab.git("stash", "list"),
		lab.git("branch", "--show-current"),
		lab.git("rev-parse", "HEAD"),
	];
	assert.deepEqual(after, before);
	assert.equal(readFileSync(join(lab.dir, "trainer.log"), "utf8"), "left here\n");
});

test("each experiment keeps its diff, its log, its message and its measurement", async (t) => {
	const lab = makeLab(t);
	await run(t, lab, "--experiments", "3");
	for (const n of ["0002", "0003"]) {
		const dir = join(lab.dir, "results/demo/experiments", n);
		assert.match(readFileSync(join(dir, "proposal.diff"), "utf8"), /^-(export )?const [\s\S]*^\+(export )?const /m);
		assert.match(readFileSync(join(dir, "train.log"), "utf8"), /num_steps/);
		assert.match(
			lab.git("log", "-1", "--format=%B", `refs/autoresearch/demo/${n}`),
			/^\S.*\n\n.+\n\nExperiment: \d\nProgram: [0-9a-f]{8}\nResearcher: search$/,
		);
		assert.match(
			lab.git("notes", "--ref", "autoresearch", "show", `refs/autoresearch/demo/${n}`),
			/status: (keep|discard)[\s\S]*val_bpb: /,
		);
	}
});

test("the same tag carries on where it stopped, and a run that is done stays done", async (t) => {
	const lab = makeLab(t);
	await run(t, lab, "--experiments", "3");
	const first = rows(lab);
	const { stdout } = await run(t, lab, "--experiments", "5");
	assert.match(stdout, /resumed: 3 experiments so far/);
	assert.deepEqual(rows(lab).slice(0, 3), first);
	assert.equal(rows(lab).length, 5);
	const { code } = await run(t, lab, "--experiments", "5");
	assert.equal(code, 0);
	assert.equal(rows(lab).length, 5);
});

test("the same seed finds the same experiments", async (t) => {
	const titles = async (seed: string) => {
		const lab = makeLab(t);
		await run(t, lab, "--experiments", "5", "--seed", seed);
		return rows(lab).map((row) => row[4]);
	};
	assert.deepEqual(await titles("7"), await titles("7"));
});

test("--json prints the journal, and nothing else, to stdout", async (t) => {
	const lab = makeLab(t);
	const { stdout } = await run(t, lab, "--experiments", "2", "--json");
	assert.equal(stdout, readFileSync(join(lab.dir, "results/demo/journal.jsonl"), "utf8"));
});

test("results prints an object an experiment with the promised names", async (t) => {
	const lab = makeLab(t);
	await run(t, lab, "--experiments", "2");
	const { stdout } = await cli(t, ["results", "--lab", lab.dir, "--tag", "demo", "--json"]);
	const records = JSON.parse(stdout);
	assert.equal(records.length, 2);
	const names = [
		"n",
		"commit",
		"metric",
		"value",
		"val_bpb",
		"memory_gb",
		"status",
		"title",
		"hypothesis",
		"program",
		"researcher",
		"expected_gain",
		"tokens",
		"cost",
		"seconds",
	];
	for (const record of records) for (const name of names) assert.ok(name in record, name);
	assert.deepEqual([records[0].metric, records[0].value, records[0].val_bpb], ["val_bpb", 2.191629, 2.191629]);
	assert.equal(records[1].researcher, "search");
	for (const phase of ["propose", "preflight", "startup", "train", "evaluate"])
		assert.equal(typeof records[1].seconds[phase], "number");
	const plain = await cli(t, ["results", "--lab", lab.dir, "--tag", "demo"]);
	assert.match(plain.stdout, /n +commit +val_bpb +status +description\n.*baseline/);
});

test("results --json names the lab's own metric, and calls no other metric val_bpb", async (t) => {
	const lab = makeLab(t, { lab: { metric: { name: "bytes", direction: "higher" } } });
	lab.write("metric.js", 'console.log("---\\nbytes:            4096");\n');
	lab.git("commit", "--quiet", "--all", "--message", "count bytes");
	await run(t, lab, "--experiments", "1");
	const { stdout } = await cli(t, ["results", "--lab", lab.dir, "--tag", "demo", "--json"]);
	const [record] = JSON.parse(stdout);
	assert.deepEqual([record.metric, record.value], ["bytes", 4096]);
	assert.equal("val_bpb" in record, false);
});

test("what a training run prints about its own metric is not believed", async (t) => {
	const lab = makeLab(t, { train: [['"none"', '"lie"']] });
	await run(t, lab, "--experiments", "1");
	assert.equal(rows(lab)[0]![1], "2.191629");
});

const faults: [string, RegExp][] = [
	["throw", /exit 1: Error: the matrix is singular/],
	["exit", /exit 3/],
	["abort", /aborted \(SIGABRT\)/],
	["nan", /evaluation gave val_bpb = NaN/],
	["hang", /timeout: still running after 1 s/],
];
for (const [fault, reason] of faults) {
	test(`a trainer that fails (${fault}) becomes a crash row with its reason, and the loop goes on`, async (t) => {
		const lab = makeLab(t, { train: [['"none"', `"${fault}"`]], lab: { timeout: "1s" } });
		const { code } = await run(t, lab, "--experiments", "2");
		assert.equal(code, 0);
		const table = rows(lab);
		assert.equal(table.length, 2);
		assert.deepEqual(table[0]!.slice(1, 4), ["0.000000", "0.0", "crash"]);
		assert.match(table[0]![4]!, reason);
	});
}

test("a training file that cannot even be parsed crashes in its row, not in the console", async (t) => {
	const lab = makeLab(t, { train: [["const DEPTH = 4;", "const DEPTH = = 4;"]] });
	const { code } = await run(t, lab, "--experiments", "1");
	assert.equal(code, 0);
	assert.match(rows(lab)[0]![4]!, /SyntaxError/);
});

test("the trainer never sees a key of ours", async (t) => {
	const lab = makeLab(t);
	await cli(t, ["run", "--lab", lab.dir, "--tag", "demo", "--experiments", "1"], {
		env: { ANTHROPIC_API_KEY: "sk-secret" },
	});
	const names = readFileSync(join(lab.dir, "results/demo/experiments/0001/env"), "utf8").split("\n");
	assert.ok(names.includes("AUTORESEARCH_BUDGET"));
	assert.ok(!names.includes("ANTHROPIC_API_KEY"));
});

test("a user with hooks, with signing and without a name is no obstacle", async (t) => {
	const lab = makeLab(t);
	lab.git("config", "commit.gpgsign", "true");
	lab.git("config", "user.signingkey", "none");
	lab.git("config", "--unset", "user.name");
	for (const hook of ["pre-commit", "commit-msg", "post-checkout", "post-commit"]) {
		lab.write(`.git/hooks/${hook}`, "#!/bin/sh\necho ran >> hooks-ran\nexit 1\n");
		chmodSync(join(lab.dir, ".git/hooks", hook), 0o755);
	}
	const { code, stderr } = await run(t, lab, "--experiments", "3");
	assert.equal(code, 0, stderr);
	assert.equal(rows(lab).length, 3);
	assert.equal(existsSync(join(lab.dir, "hooks-ran")), false);
	assert.equal(lab.git("status", "--porcelain"), "");
});

test("a user's own results folder keeps its files and its .gitignore", async (t) => {
	const lab = makeLab(t);
	lab.write("results/.gitignore", "*.tmp\n");
	lab.write("results/old.csv", "1\n");
	lab.git("add", "--all");
	lab.git("commit", "--quiet", "--message", "results of mine");
	assert.equal((await run(t, lab, "--experiments", "1")).code, 0);
	assert.equal(lab.git("status", "--porcelain", "--untracked-files=all"), "");
	lab.write("results/new.csv", "2\n");
	assert.equal(lab.git("status", "--porcelain", "--untracked-files=all"), "?? results/new.csv");
	const bare = makeLab(t);
	assert.equal((await run(t, bare, "--experiments", "1")).code, 0);
	bare.write("results/new.csv", "2\n");
	assert.equal(bare.git("status", "--porcelain", "--untracked-files=all"), "?? results/new.csv");
});

test("prepare and doctor speak of a lab's own commands, not of data it does not use", async (t) => {
	const lab = makeLab(t, { lab: { evaluate: { command: ["no-such-program-here", "x"] } } });
	const prepared = await cli(t, ["prepare", "--lab", lab.dir]);
	assert.equal(prepared.code, 2);
	assert.match(prepared.stderr, /this lab trains with a command of its own/);
	const { code, stdout } = await cli(t, ["doctor", "--lab", lab.dir]);
	assert.equal(code, 1);
	assert.doesNotMatch(stdout, /^\S+ +data/m);
	assert.match(stdout, /^ok +train +\/.*node/m);
	assert.match(stdout, /^MISS +evaluate +no-such-program-here is not installed .* evaluate\.command/m);
});

test("a lab may be a subfolder of its repository", async (t) => {
	const lab = makeLab(t);
	const files = readdirSync(lab.dir).filter((name) => name !== ".git");
	lab.write("labs/one/.keep", "");
	lab.git("mv", ...files, "labs/one");
	lab.git("commit", "--quiet", "--all", "--message", "move");
	const { code, stderr } = await cli(t, [
		"run",
		"--lab",
		join(lab.dir, "labs/one"),
		"--tag",
		"demo",
		"--experiments",
		"3",
	]);
	assert.equal(code, 0, stderr);
	assert.equal(rows({ ...lab, dir: join(lab.dir, "labs/one") }).length, 3);
	assert.equal(lab.git("diff", "--name-only", "main", "refs/autoresearch/demo/0002"), "labs/one/train.js");
});

const mistakes: [string, (lab: LabFolder) => string[], RegExp][] = [
	["an unknown option", () => ["--budgte", "5m"], /unknown option '--budgte'[\s\S]*Did you mean --budget/],
	["a bad budget", () => ["--budget", "soon"], /--budget.*It must be a time such as "5m"/],
	["a bad number", () => ["--experiments", "0"], /--experiments.*whole number, at least 1/],
	["a limit on what is not counted", () => ["--max-tokens", "1000"], /search does not count what it spends/],
	["an unknown researcher", () => ["--researcher", "oracle"], /Allowed choices are search/],
	["a bad tag", () => ["--tag", "../x"], /cannot be a tag/],
	["a lab that is none", (lab) => ["--lab", join(lab.dir, "results")], /is not a folder|no autoresearch\.json/],
	[
		"an uncommitted training file",
		(lab) => {
			lab.write("train.js", "// new\n");
			return [];
		},
		/train\.js has uncommitted changes/,
	],
	[
		"a branch that is there already",
		(lab) => {
			lab.git("branch", "autoresearch/demo");
			return [];
		},
		/the branch autoresearch\/demo exists/,
	],
	[
		"a wrong lab file",
		(lab) => {
			lab.write("autoresearch.json", '{"name":"x","edit":["train.js"],"budget":"long"}');
			return [];
		},
		/autoresearch\.json: budget: must be a duration/,
	],
	[
		"an editable file that is not committed",
		(lab) => {
			lab.write("autoresearch.json", '{"name":"x","edit":["other.ts"]}');
			return [];
		},
		/edit: other\.ts is not in the last commit/,
	],
	[
		"no program.md",
		(lab) => {
			lab.git("rm", "--quiet", "program.md");
			return [];
		},
		/program\.md is not there: write what/,
	],
];
for (const [what, prepare, message] of mistakes) {
	test(`${what} is one clear line and exit 2`, async (t) => {
		const lab = makeLab(t);
		const { code, stderr } = await run(t, lab, ...prepare(lab));
		assert.equal(code, 2, stderr);
		assert.match(stderr, message);
		assert.doesNotMatch(stderr, /^\s+at /m);
		assert.equal(existsSync(join(lab.dir, "results/demo/results.tsv")), false);
	});
}

test("a folder without a git repository or a commit is refused with the command to mend it", async (t) => {
	const dir = tempDir(t);
	const lab = makeLab(t);
	cpSync(lab.dir, dir, { recursive: true, filter: (path) => !path.endsWith(".git") });
	const { code, stderr } = await cli(t, ["run", "--lab", dir]);
	assert.equal(code, 2);
	assert.match(stderr, /not in a git repository: run "git init/);
});

test("steer takes a note that fits whole, and refuses a longer one", async (t) => {
	const lab = makeLab(t);
	await run(t, lab, "--experiments", "1");
	const steer = (note: string) => cli(t, ["steer", "--lab", lab.dir, "--tag", "demo", note]);
	const { code, stderr } = await steer("a".repeat(501));
	assert.equal(code, 2);
	assert.match(stderr, /the note has 501 characters, 500 at most are sent/);
	assert.equal((await steer("a".repeat(500))).code, 0);
});

test("a tag that is being run is refused, naming who runs it", async (t) => {
	const lab = makeLab(t, { train: [["SECONDS = 0", "SECONDS = 20"]], lab: { budget: "60s" } });
	const first = start(t, ["run", "--lab", lab.dir, "--tag", "demo"]);
	await saying(first, /training/);
	const { code, stderr } = await run(t, lab);
	assert.equal(code, 2);
	assert.match(stderr, new RegExp(`is being run by process ${first.child.pid}`));
	first.child.kill("SIGINT");
	const outcome = await first.outcome;
	assert.equal(outcome.code, 130);
	assert.match(outcome.stdout, /stopped by hand/);
});

test("numbers of other conditions are not mixed into a run", async (t) => {
	const lab = makeLab(t);
	await run(t, lab, "--experiments", "1");
	const { code, stderr } = await run(t, lab, "--budget", "3s");
	assert.equal(code, 2);
	assert.match(stderr, /gives each experiment 2 s, not 3 s/);
});

test("a run stays on the kind of device it began on, and a software device is one of its own", async (t) => {
	const lab = makeLab(t);
	const on = (device: string) => run(t, lab, "--experiments", "1", "--device", device);
	assert.equal((await on("vulkan:software")).code, 0);
	for (const other of ["vulkan:0", "cpu"]) {
		const { code, stderr } = await on(other);
		assert.equal(code, 2);
		assert.match(stderr, new RegExp(`trains on vulkan:software, not on ${other}`));
	}
	const gpus = makeLab(t);
	assert.equal((await run(t, gpus, "--experiments", "1", "--device", "cuda:0")).code, 0);
	assert.equal((await run(t, gpus, "--experiments", "1", "--device", "cuda:1")).code, 0);
});
