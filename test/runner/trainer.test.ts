/** What a training command of the lab's own is given: its GPU, which is watched, and an input that is at its end. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { ExperimentDir } from "../../src/journal/run-dir.ts";
import { loadLab } from "../../src/lab/lab.ts";
import { Trainer } from "../../src/runner/trainer.ts";
import { makeLab, tempDir } from "../support/lab.ts";

/** Trains with a command that waits for nvidia-smi to be asked; returns what both saw. */
async function trainOn(t: TestContext, device: string, env: NodeJS.ProcessEnv) {
	const bin = tempDir(t);
	const [asked, seen] = [join(bin, "asked"), join(bin, "seen")];
	writeFileSync(join(bin, "nvidia-smi"), `#!/bin/sh\necho "50, 1024, 60, 256"; echo "$1" > ${asked}; exec sleep 100\n`);
	chmodSync(join(bin, "nvidia-smi"), 0o755);
	const before = { ...process.env };
	t.after(() => {
		process.env = before;
	});
	process.env = { ...before, ...env, PATH: `${bin}${delimiter}${before.PATH}` };
	const command = ["sh", "-c", `while [ ! -s ${asked} ]; do sleep 0.01; done; sleep 0.2; env > ${seen}`];
	const lab = loadLab(makeLab(t, { lab: { train: { command } } }).dir);
	const trainer = new Trainer({ lab, budgetSeconds: 30, seed: 1, threads: 1, device });
	const trained = await trainer.train(
		lab.dir,
		new ExperimentDir(join(bin, "out")),
		new AbortController().signal,
		() => {},
	);
	if ("crash" in trained) assert.fail(trained.crash);
	const variables = readFileSync(seen, "utf8").trimEnd().split("\n");
	return {
		asked: readFileSync(asked, "utf8").trim(),
		load: trained.summary.gpu?.meanLoad,
		told: variables.filter((line) => /^(CUDA_|AUTORESEARCH_DEVICE=)/.test(line)).sort(),
	};
}

test("a command that may choose its device is watched on the first GPU it sees", async (t) =>
	assert.deepEqual(await trainOn(t, "auto", { CUDA_VISIBLE_DEVICES: "2" }), {
		asked: "--id=2",
		load: 0.5,
		told: ["AUTORESEARCH_DEVICE=auto", "CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=2"],
	}));

test("a command with a GPU of its own sees that one only", async (t) =>
	assert.deepEqual(await trainOn(t, "cuda:1", { CUDA_VISIBLE_DEVICES: "2,5" }), {
		asked: "--id=5",
		load: 0.5,
		told: ["AUTORESEARCH_DEVICE=cuda:0", "CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=5"],
	}));

test("a command that asks a question is answered by the end of its input, and its error is told", async (t) => {
	const command = ["sh", "-c", "echo 'Continue? [y/N]'; read answer || { echo 'InputError: no answer' >&2; exit 1; }"];
	const lab = loadLab(makeLab(t, { lab: { train: { command } } }).dir);
	const trainer = new Trainer({ lab, budgetSeconds: 30, seed: 1, threads: 1, device: "cpu" });
	const out = new ExperimentDir(join(tempDir(t), "out"));
	assert.deepEqual(await trainer.train(lab.dir, out, new AbortController().signal, () => {}), {
		crash: "exit 1: InputError: no answer",
	});
});
