/**
 * Training beside other work: steps a second of train.ts while k processes, each of which would fill a core, compete
 * for the machine. The cases take turns; a case's figure is the median of its rounds.
 *
 *     node bench/trainer/contention.ts [--threads 1,2] [--competitors 0,1,2] [--seconds 8] [--rounds 3]
 *
 * Needs the data that `autoresearch prepare` makes.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";

const { values } = parseArgs({
	options: {
		threads: { type: "string", default: `1,${availableParallelism()}` },
		competitors: { type: "string", default: "0,1,2" },
		seconds: { type: "string", default: "8" },
		rounds: { type: "string", default: "3" },
	},
});
const [threads, competitors] = [values.threads, values.competitors].map((list) => list.split(",").map(Number)) as [
	number[],
	number[],
];

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** Steps a second of a run of its own process. */
async function measure(threads: number): Promise<number> {
	const out = await mkdtemp(join(tmpdir(), "autoresearch-contention-"));
	try {
		const options = ["--file", "trainer/train.ts", "--budget", values.seconds, "--threads", String(threads)];
		await run(process.execPath, ["trainer/harness/train-main.ts", ...options, "--out", out], { cwd: root });
		const { steps, trainSeconds } = JSON.parse(await readFile(join(out, "training.json"), "utf8"));
		return steps / trainSeconds;
	} finally {
		await rm(out, { recursive: true });
	}
}

async function beside<T>(count: number, work: () => Promise<T>): Promise<T> {
	const others = Array.from({ length: count }, (): ChildProcess => spawn(process.execPath, ["-e", "for (;;);"]));
	try {
		return await work();
	} finally {
		for (const other of others) other.kill("SIGKILL");
	}
}

const cases = competitors.flatMap((count) => threads.map((threads) => ({ count, threads, rates: [] as number[] })));
for (let round = 0; round < Number(values.rounds); round++)
	for (const { count, threads, rates } of cases) rates.push(await beside(count, () => measure(threads)));

console.log(["competitors", ...threads.map((n) => `${n} thread${n === 1 ? "" : "s"}`.padStart(12))].join(""));
for (const count of competitors) {
	const row = cases
		.filter((it) => it.count === count)
		.map(({ rates }) => rates.sort((a, b) => a - b)[rates.length >> 1]!);
	console.log([String(count).padStart(11), ...row.map((rate) => `${rate.toFixed(2)}/s`.padStart(12))].join(""));
}
