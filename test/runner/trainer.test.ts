/** What a training run sees of GPU and environment, and what is recorded of it. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { ExperimentDir } from "../../src/journal/run-dir.ts";
import { loadLab } from "../../src/lab/lab.ts";
import { Trainer, withoutSecrets } from "../../src/runner/trainer.ts";
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

test("the training loss of a run is that of its last progress line", async (t) => {
	const lab = loadLab(makeLab(t).dir);
	const trainer = new Trainer({ lab, budgetSeconds: 30, seed: 1, threads: 1, device: "cpu" });
	const trained = await trainer.train(lab.dir, new ExperimentDir(tempDir(t)), new AbortController().signal, () => {});
	assert.ok(!("crash" in trained));
	assert.equal(trained.summary.trainLoss, 3.1);
});

test("a training run is not given the human's credentials, and keeps everything else", () => {
	const secret = {
		ANTHROPIC_API_KEY: "a",
		ANTHROPIC_BASE_URL: "b",
		GITHUB_TOKEN: "c",
		GH_PAT: "d",
		aws_secret_access: "e",
		AWS_ACCESS_KEY_ID: "f",
		OPENAI_APIKEY: "g",
		PGPASSWORD: "h",
		MYSQL_PWD: "i",
		DB_PASS: "j",
		GOOGLE_APPLICATION_CREDENTIALS: "k",
		SSH_AUTH_SOCK: "/run/agent",
		DATABASE_URL: "postgres://user:secret@host/db",
		https_proxy: "http://user:secret@proxy:8080",
		PIP_INDEX_URL: "https://token@host/simple",
	};
	const harmless = {
		PATH: "/bin",
		PWD: "/h",
		OLDPWD: "/",
		HOME: "/h",
		TOKENIZERS_PARALLELISM: "false",
		KEYBOARD: "de",
		KEYMAP: "de",
		COMPASS: "north",
		HTTP_PROXY: "http://proxy:8080",
		TRACKING_URL: "https://host/runs/@me",
	};
	assert.deepEqual(withoutSecrets({ ...secret, ...harmless }), harmless);
});

test("a command that asks a question is answered by the end of its input, and its error is told", async (t) => {
	const command = ["sh", "-c", "echo 'Continue? [y/N]'; read answer || { echo 'InputError: no answer' >&2; exit 1; }"];
	const lab = loadLab(makeLab(t, { lab: { train: { command } } }).dir);
	const trainer = new Trainer({ lab, budgetSeconds: 30, seed: 1, threads: 1, device: "cpu" });
	const out = new ExperimentDir(join(tempDir(t), "out"));
	assert.deepEqual(await trainer.train(lab.dir, out, new AbortController().signal, () => {}), {
		crash: "exit 1: InputError: no answer",
	});
});
