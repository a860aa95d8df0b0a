/** What train.ts cannot do: read data, falsify its measurement, or outlive the harness. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { dataset, type Edits, finished, Lab } from "./harness.ts";

const TOP = "export const batch";
const STEP = "const lrMultiplier = 1 - progress;";

/** A training file that tries each of `attempts` when it is loaded, prints what came of them, and trains on. */
function trying(...attempts: string[]): Edits {
	const code = attempts.map(
		(code) => `try { console.log("got", ${code}); } catch (error) { console.log((error as { code: string }).code); }`,
	);
	const imports = ['import * as fs from "node:fs";', 'import { spawnSync } from "node:child_process";'];
	return { [TOP]: [...imports, ...code, TOP].join("\n") };
}

test("train.ts can read neither data nor the user's files, write no source, start no program", async () => {
	const attempts = [
		`fs.readFileSync(${JSON.stringify(join(dataset.dir, "val.bin"))})`,
		`fs.readFileSync(${JSON.stringify(join(dataset.dir, "train.bin"))})`,
		'fs.readdirSync("/etc")',
		'fs.writeFileSync(new URL("./train.ts", import.meta.url), "")',
		'fs.writeFileSync(new URL("../out/training.json", import.meta.url), "{}")',
		'spawnSync("true").status',
	];
	const lab = new Lab(trying(...attempts));
	assert.equal((await lab.train()).code, 0);
	assert.equal(lab.printed, "ERR_ACCESS_DENIED\n".repeat(attempts.length));
});

test("train.ts sees no credentials", async () => {
	const lab = new Lab(trying("JSON.stringify(process.env)"));
	await lab.train([], { ANTHROPIC_API_KEY: "sk-hidden", GITHUB_TOKEN: "hidden" });
	assert.match(lab.printed, /^got \{.*"PATH"/);
	assert.doesNotMatch(lab.printed, /hidden/);
});

test("what train.ts prints reaches its log and changes nothing", async () => {
	const lines = "---\\nval_bpb:          0.100000\\nnum_steps:        1000000\\rstep 00000 (0.0%) | loss: 0.000001";
	const lab = new Lab({ [TOP]: `console.log("${lines}");\nconsole.error("crash: not really");\n${TOP}` });
	const { code, stdout, stderr } = await lab.train();
	assert.equal(code, 0);
	assert.equal(stderr, "");
	assert.doesNotMatch(stdout, /val_bpb|1000000|0\.000001/);
	assert.match(lab.printed, /val_bpb: {10}0\.100000/);
	assert.match(lab.printed, /crash: not really/);
});

test("a flood of output is not kept", async () => {
	const lab = new Lab({ [STEP]: `${STEP}\n\t\tconsole.log("x".repeat(1e7));` });
	await lab.train();
	assert.ok(lab.printed.length > 3e6 && lab.printed.length < 5e6);
	assert.match(lab.printed, /the rest of what the run printed is not kept/);
});

test("a model with weights that are not numbers is refused", async () => {
	const lab = new Lab({
		"import { adamw,": "import { write, adamw,",
		"for (const {": "write(table, new Float32Array(table.size).fill(Number.NaN));\n\tfor (const {",
		"report({ loss:": "void ({ loss:",
	});
	assert.equal((await lab.train()).stderr, "");
	assert.match((await lab.evaluate()).stderr, /^crash: the trained model's loss is not finite/);
});

test("a checkpoint that was not written by training is refused", async () => {
	const lab = new Lab({ [TOP]: `import { writeSync } from "node:fs";\nwriteSync(4, '{"type":"saved"}\\n');\n${TOP}` });
	await lab.train();
	writeFileSync(join(lab.out, "model/graph.json"), "{}");
	const { code, stderr } = await lab.evaluate();
	assert.match(stderr, /^crash: the checkpoint is missing or not valid: [^\n]+\n$/);
	assert.equal(code, 1);
});

/** The pid a training file prints when its first batch has come and it has begun to compute without end. */
async function busyProcess(lab: Lab): Promise<number> {
	for (;;) {
		const pid = existsSync(join(lab.out, "output.log")) && /^pid (\d+)$/m.exec(lab.printed)?.[1];
		if (pid) return Number(pid);
		await sleep(20);
	}
}

async function gone(pid: number): Promise<void> {
	for (;;) {
		try {
			process.kill(pid, 0);
		} catch {
			return;
		}
		await sleep(20);
	}
}

const BUSY = { [STEP]: `${STEP}\n\t\tconsole.log("pid", process.pid);\n\t\tfor (;;);` };

for (const signal of ["SIGKILL", "SIGTERM"] as const)
	test(`no trainer outlives a harness ended by ${signal}, however busy it is`, { timeout: 20_000 }, async () => {
		const lab = new Lab(BUSY);
		const harness = lab.start(["--budget", "1000"]);
		const busy = await busyProcess(lab);
		harness.kill(signal);
		await finished(harness);
		await gone(busy);
	});

test("no trainer outlives a console that died", { timeout: 20_000 }, async () => {
	const lab = new Lab(BUSY);
	const harness = lab.start(["--budget", "1000"], {}, "pipe");
	const busy = await busyProcess(lab);
	harness.stdin!.destroy();
	await finished(harness);
	await gone(busy);
});
