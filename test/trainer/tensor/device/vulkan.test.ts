/**
 * The whole trainer on Vulkan's software device: apt-get install mesa-vulkan-drivers, npm install the vulkan package.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { type Comparison, compareWithCpu } from "../../../../scripts/check-gpu/compare.ts";
import { warmUp } from "../../../../src/engine/warm-up.ts";
import { ExperimentDir } from "../../../../src/journal/run-dir.ts";
import { loadLab } from "../../../../src/lab/lab.ts";
import { packageRoot } from "../../../../src/package-root.ts";
import { deviceFor } from "../../../../trainer/harness/main.ts";
import { parseTrainOptions } from "../../../../trainer/harness/options.ts";
import { SandboxedProcess } from "../../../../trainer/harness/sandboxed-process.ts";
import { TrainingRun } from "../../../../trainer/harness/training-run.ts";
import { findDevices } from "../../../../trainer/tensor/device/choice.ts";
import { folderOfStories } from "../../../prepare/corpora.ts";
import { BIN, cli } from "../../../support/cli.ts";
import { type LabFolder, makeLab } from "../../../support/lab.ts";
import { startInTerminal } from "../../../tui/terminal.ts";
import { data, dataset, Lab } from "../../harness/harness.ts";
import { cases } from "../gradient-cases.ts";

const { devices, problem } = await findDevices("vulkan", true);

/** The smallest training file that learns. */
const FIXTURE = join(packageRoot, "test/trainer/harness/fixtures/train.ts");

/** Matrix products take factors of 16 bits where the device has them, so about 2^-11 of each is lost. */
const OPERATION = 2e-3;
/** The gradient of a weight near zero is a small difference of large numbers. */
const MODEL = 3e-2;
const TRAJECTORY = 1e-3;

describe("on Vulkan", { skip: devices.length === 0 && `no software Vulkan here: ${problem}` }, () => {
	let comparison: Comparison;
	before(async () => {
		comparison = await compareWithCpu("vulkan:software");
	});

	for (const [name] of cases)
		it(`${name} and its gradients are the CPU's`, () => {
			const { error, reason } = comparison.operations[name]!;
			assert.ok(error <= OPERATION, reason ?? `differs by ${error}`);
		});

	it("a model's loss and gradients are the CPU's", () => {
		const { error, reason } = comparison.model;
		assert.ok(error <= MODEL, reason ?? `differs by ${error}`);
	});

	it("Muon and AdamW lower the loss as they do on the CPU", () => {
		const { error, reason } = comparison.trajectory;
		assert.ok(error <= TRAJECTORY, reason ?? `differs by ${error}`);
	});

	it("a training file trains behind its fence, and is measured", async () => {
		const lab = new Lab();
		const device = ["--device", "vulkan:software"];
		const trained = await lab.train([...device, "--budget", "2"]);
		assert.equal(trained.stderr, "");
		const { finalLoss, peakMemoryMb } = lab.json("training.json") as Record<string, number>;
		assert.ok(finalLoss! < 5.7, `the loss of a guess is 5.77, it became ${finalLoss}`);
		assert.ok(peakMemoryMb! > 0 && peakMemoryMb! < 100, `${peakMemoryMb} MB on the device`);
		const measured = await lab.evaluate(device);
		assert.equal(measured.stderr, "");
		const onVulkan = lab.json("evaluation.json").val_bpb as number;
		await lab.evaluate();
		assert.ok(Math.abs(onVulkan - (lab.json("evaluation.json").val_bpb as number)) < 1e-3);
	});

	it("the memory of a run is the device's, however long the process takes to be gone", async (t) => {
		const lingers = 'process.on("exit", () => { for (const end = Date.now() + 500; Date.now() < end; ); });';
		const lab = new Lab({ "export function build": `${lingers}\nexport function build` });
		const options = parseTrainOptions([
			...["--file", lab.file, "--out", lab.out, "--budget", "1", "--device", "vulkan:software"],
			...["--source", data.source, "--vocab", `${data.vocabSize}`],
		]);
		const kill = SandboxedProcess.prototype.kill;
		t.mock.method(SandboxedProcess.prototype, "kill", function (this: SandboxedProcess) {
			setTimeout(() => kill.call(this), 300);
		});
		const { peakMemoryMb } = await new TrainingRun(options, dataset, await deviceFor(options), () => {}).result;
		assert.ok(peakMemoryMb > 0 && peakMemoryMb < 100, `${peakMemoryMb} MB on the device`);
	});

	it("the loop runs its experiments there, and its journal says so", async (t) => {
		const lab = builtInLab(t);
		const run = (...args: string[]) =>
			cli(t, ["run", "--lab", lab.dir, "--tag", "demo", "--experiments", "1", "--researcher", "search", ...args], {
				env: cacheIn(lab),
			});
		const { code, stdout, stderr } = await run("--device", "vulkan:software");
		assert.equal(code, 0, stderr);
		assert.match(stdout, /baseline/);
		assert.match(stderr, /preparing: kernels \(compiling the GPU's kernels, once\)/);
		assert.ok(!existsSync(join(lab.dir, "results/demo/warm-up")), "what warmed it is thrown away");
		const table = readFileSync(join(lab.dir, "results/demo/results.tsv"), "utf8").trimEnd().split("\n");
		assert.match(table[1]!, /\tkeep\t/);
		assert.match(readFileSync(join(lab.dir, "results/demo/journal.jsonl"), "utf8"), /"device":"vulkan:software"/);

		const again = await run();
		assert.equal(again.code, 0, again.stderr);
		assert.doesNotMatch(again.stderr, /kernels/, "a run that goes on is warm");

		const elsewhere = await run("--device", "cpu");
		assert.equal(elsewhere.code, 2);
		assert.match(elsewhere.stderr, /run demo trains on vulkan:software, not on cpu/);
	});

	it("a training file that fails while the device warms up is the baseline's to tell", async (t) => {
		const lab = builtInLab(t);
		lab.write("trainer/train.ts", 'throw new Error("no");\n');
		const options = { lab: loadLab(lab.dir), seed: 1, threads: 1, device: "vulkan:software" };
		await warmUp(options, new ExperimentDir(join(lab.dir, "out")), () => {});
	});

	it("the console shows the device, its steps, and the baseline kept", async (t) => {
		const lab = builtInLab(t);
		// The first step compiles shaders, for seconds on a busy machine: there must be time for others.
		const args = ["--tag", "demo", "--experiments", "1", "--budget", "15s", "--device", "vulkan:software"];
		const terminal = startInTerminal(t, [process.execPath, BIN, "tui", "--researcher", "search", ...args], {
			columns: 120,
			rows: 40,
			cwd: lab.dir,
			env: cacheIn(lab),
		});
		await terminal.shows(/ demo .* vulkan:software .* training 1 /);
		await terminal.shows(/ left +│[\s\S]* step [1-9]\S* +loss \d/);
		await terminal.shows(/ 1 {2}\* best +\d/);
		await terminal.shows("stopped");
		terminal.send("q");
		assert.equal(await terminal.exited, 0);
		const table = readFileSync(join(lab.dir, "results/demo/results.tsv"), "utf8").trimEnd().split("\n");
		assert.match(table[1]!, /\tkeep\t/);
	});

	it("what does not fit is refused with numbers before the first step", async () => {
		const lab = new Lab({ "{ rows: 8, length: 32 }": "{ rows: 65_536, length: 64 }" });
		const { stderr } = await lab.train(["--device", "vulkan:software"]);
		assert.match(stderr, /need [\d.]+ GB, and [\d.]+ GB of vulkan memory are free/);
	});
});

/** A committed lab of the built-in trainer with the smallest training file, two seconds an experiment. */
function builtInLab(t: TestContext): LabFolder {
	const lab = makeLab(t, {
		lab: { edit: ["trainer/train.ts"], train: "built-in", evaluate: "built-in", budget: "2s", timeout: "30s" },
	});
	lab.write("trainer/train.ts", readFileSync(FIXTURE, "utf8").replaceAll("../../../../trainer/", "./"));
	const config = JSON.parse(readFileSync(join(lab.dir, "autoresearch.json"), "utf8"));
	const data = { source: folderOfStories(lab.dir, 120), vocabulary: 320 };
	lab.write("autoresearch.json", JSON.stringify({ ...config, data }));
	lab.write(".gitignore", "corpus\ncache\n");
	lab.git("add", "--all", ".");
	lab.git("commit", "--quiet", "--message", "the built-in trainer");
	return lab;
}

function cacheIn(lab: LabFolder) {
	return { XDG_CACHE_HOME: join(lab.dir, "cache") };
}
