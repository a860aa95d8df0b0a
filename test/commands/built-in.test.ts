/** The loop over the real trainer and the real metric, on a small corpus and tiny budgets. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { defaultCacheDir } from "../../prepare/dataset.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { packageRoot } from "../../src/package-root.ts";
import { folderOfStories } from "../prepare/corpora.ts";
import { cli } from "../support/cli.ts";
import { type LabFolder, makeLab } from "../support/lab.ts";

/** The model made small, whatever its present size. */
const SMALL: [RegExp, string][] = [
	[/const DEPTH = \d+/, "const DEPTH = 1"],
	[/const MAX_SEQ_LEN = \d+/, "const MAX_SEQ_LEN = 32"],
];

/** A lab with this repository's trainer, its model made small. */
function builtIn(t: TestContext, more: object = {}): LabFolder {
	const lab = makeLab(t, {
		lab: { edit: ["trainer/train.ts"], train: "built-in", evaluate: "built-in", budget: "2s", timeout: "8s", ...more },
	});
	for (const path of ["train.js", "trainer.js", "metric.js"]) rmSync(join(lab.dir, path));
	cpSync(join(packageRoot, "trainer"), join(lab.dir, "trainer"), { recursive: true });
	cpSync(join(packageRoot, "package.json"), join(lab.dir, "package.json"));
	lab.write(".gitignore", "stories\ncache\n");
	const config = JSON.parse(readFileSync(join(lab.dir, "autoresearch.json"), "utf8"));
	const source = folderOfStories(lab.dir, 120);
	lab.write("autoresearch.json", JSON.stringify({ ...config, data: { source, vocabulary: 320 } }));
	let text = readFileSync(join(lab.dir, "trainer/train.ts"), "utf8");
	for (const [before, now] of SMALL) {
		assert.match(text, before);
		text = text.replace(before, now);
	}
	lab.write("trainer/train.ts", text);
	lab.git("add", "--all", ".");
	lab.git("commit", "--quiet", "--message", "the built-in trainer");
	return lab;
}

function run(t: TestContext, lab: LabFolder, experiments: number, researcher = "search") {
	const args = ["run", "--lab", lab.dir, "--tag", "demo", "--experiments", String(experiments), "--threads", "1"];
	return cli(t, [...args, "--researcher", researcher, "--seed", "1"], {
		env: environment(lab),
	});
}

/** The data of each test is its own; the compiled kernels are everybody's. */
function environment(lab: LabFolder): NodeJS.ProcessEnv {
	const own = join(lab.dir, "cache", "autoresearch");
	const shared = join(defaultCacheDir(), "kernels");
	mkdirSync(own, { recursive: true });
	mkdirSync(shared, { recursive: true });
	if (!existsSync(join(own, "kernels"))) symlinkSync(shared, join(own, "kernels"));
	return { XDG_CACHE_HOME: join(lab.dir, "cache") };
}

const rows = (lab: LabFolder) =>
	readFileSync(join(lab.dir, "results/demo/results.tsv"), "utf8")
		.trimEnd()
		.split("\n")
		.slice(1)
		.map((line) => line.split("\t"));

test("prepare, train, measure, keep and revert: the whole loop on the built-in lab", async (t) => {
	const lab = builtIn(t);
	const { code, stderr } = await run(t, lab, 3);
	assert.equal(code, 0, stderr);
	const table = rows(lab);
	assert.equal(table.length, 3);
	assert.equal(table[0]![3], "keep");
	for (const row of table) assert.match(row[3]!, /keep|discard/);
	assert.ok(Number(table[0]![1]) > 0.5 && Number(table[0]![1]) < 9);
	const { events } = readJournal(join(lab.dir, "results/demo/journal.jsonl"));
	const losses = events.flatMap((event) => (event.type === "experiment.trained" ? [event.summary.trainLoss] : []));
	assert.equal(losses.length, 3);
	for (const loss of losses) assert.ok(loss! > 0 && loss! < 20, `a training loss of ${loss}`);
	const kept = table.filter((row) => row[3] === "keep").length;
	assert.equal(lab.git("rev-list", "--count", "main..autoresearch/demo"), String(kept - 1));

	const printed = await cli(t, ["results", "--lab", lab.dir, "--tag", "demo", "--json"]);
	for (const { seconds } of JSON.parse(printed.stdout) as { seconds: Record<string, number> }[])
		for (const [phase, value] of Object.entries(seconds)) assert.match(String(value), /^\d+(\.\d{1,3})?$/, phase);

	// Only the best one's model is kept, and can be measured on text that no run has seen.
	const best = table.findLastIndex((row) => row[3] === "keep") + 1;
	for (const n of [1, 2, 3]) {
		assert.equal(existsSync(join(lab.dir, `results/demo/experiments/000${n}/model`)), n === best);
	}
	const args = ["evaluate", "--lab", lab.dir, "--tag", "demo", "--split", "test", "--threads", "1"];
	const measured = await cli(t, args, { env: environment(lab) });
	assert.equal(measured.code, 0, measured.stderr);
	assert.match(measured.stdout, /^---\ntest_bpb: {9}\d\.\d{6}$/m);
});

test("the training file runs on the program's own compiled library, whatever lies beside it", async (t) => {
	const lab = builtIn(t);
	const commit = (message: string) => lab.git("commit", "--quiet", "--all", "--message", message);
	const notices: string[] = [];
	const library = async (tag: string) => {
		const args = ["run", "--lab", lab.dir, "--tag", tag, "--experiments", "1", "--threads", "1"];
		const { code, stderr, stdout } = await cli(t, [...args, "--researcher", "search"], { env: environment(lab) });
		assert.equal(code, 0, stderr);
		notices.push(...stdout.split("\n").filter((line) => line.includes("differs from the console's own library")));
		return readFileSync(join(lab.dir, "results", tag, "experiments/0001/output.log"), "utf8");
	};
	const text = readFileSync(join(lab.dir, "trainer/train.ts"), "utf8");
	lab.write("trainer/train.ts", `console.log(import.meta.resolve("./tensor/index.ts"));\n${text}`);
	lab.write("trainer/tensor/index.ts", 'throw new Error("the lab has its own");\n');
	commit("a library of its own");
	const own = pathToFileURL(join(packageRoot, "dist/trainer/tensor/index.js")).href;
	assert.equal(await library("beside"), `${own}\n`);
	assert.equal(notices.length, 1);
	assert.match(notices[0]!, /trainer\/tensor\/index\.ts differs .* an edit there has no effect/);
	lab.git("rm", "-r", "--quiet", "trainer/tensor", "trainer/contract.ts", "package.json");
	commit("no library");
	assert.equal(await library("alone"), `${own}\n`);
	assert.equal(notices.length, 1);

	// The researcher is told of the library all the same.
	const args = ["run", "--lab", lab.dir, "--tag", "alone", "--researcher", "anthropic", "--show-brief"];
	const brief = await cli(t, args, { env: { ...environment(lab), ANTHROPIC_API_KEY: "key" } });
	assert.equal(brief.code, 0, brief.stderr);
	assert.match(brief.stdout, /<file path="trainer\/tensor\/README\.md">/);
});

const STEP = "const tokens = nn.input(";
const broken: [string, string, string, RegExp][] = [
	["a wrong shape", "logits(tokens), targets)", "logits(tokens), targets.reshape([1, 7]))", /reshape.*train\.ts:\d+/],
	["a loss that is NaN", "{ loss: checked(", "{ loss: Number.NaN + checked(", /loss is NaN/],
	["an endless loop", STEP, `for (;;);\n\t${STEP}`, /timeout: still running after 8 s/],
	["an early exit", STEP, `process.exit(0);\n\t${STEP}`, /exit/],
	[
		"a huge allocation",
		"logits(tokens), targets);",
		"logits(tokens), targets).add(nn.zeros([1 << 18, 1]).add(nn.zeros([1, 1 << 18])).sum());",
		/memory|more than \d+ elements/,
	],
	["an import of the machine", "import type { Batch", 'import "node:fs";\nimport type { Batch', /imports "node:fs"/],
];

/** An agent that makes these edits, one a proposal, and cannot repair what it broke. */
const AGENT = `import fs from "node:fs";
const edits = JSON.parse(process.argv[2]);
const counter = process.argv[3];
const n = fs.existsSync(counter) ? Number(fs.readFileSync(counter, "utf8")) : 0;
const text = fs.readFileSync("trainer/train.ts", "utf8");
if (edits.some(([, now]) => text.includes(now))) process.exit(1);
const [before, now] = edits[n];
fs.writeFileSync(counter, String(n + 1));
fs.writeFileSync("trainer/train.ts", text.replace(before, () => now));
`;

test("whatever a proposal breaks is a crash row with a reason, and the loop goes on", async (t) => {
	const edits = JSON.stringify(broken.map(([, before, now]) => [before, now]));
	const lab = builtIn(t, {
		researcher: { command: { command: [process.execPath, "agent.js", edits, "{counter}"] } },
	});
	const text = readFileSync(join(lab.dir, "trainer/train.ts"), "utf8");
	for (const [what, before] of broken) assert.ok(text.includes(before), `${what}: train.ts has no "${before}"`);
	lab.write("agent.js", AGENT);
	const config = readFileSync(join(lab.dir, "autoresearch.json"), "utf8");
	lab.write("autoresearch.json", config.replace("{counter}", join(lab.dir, "cache", "counter")));
	lab.git("add", "--all", ".");
	lab.git("commit", "--quiet", "--message", "an agent");
	const { code, stderr } = await run(t, lab, broken.length + 1, "command");
	assert.equal(code, 0, stderr);
	const [baseline, ...crashed] = rows(lab);
	assert.equal(baseline![3], "keep");
	assert.equal(crashed.length, broken.length);
	for (const [i, [what, , , reason]] of broken.entries()) {
		assert.deepEqual(crashed[i]!.slice(1, 4), ["0.000000", "0.0", "crash"], what);
		assert.match(crashed[i]![4]!, reason, what);
	}
});
