/**
 * How long training waits for its data: train.ts, run by the real harness behind its fence, with a clock around its
 * batches.
 *
 *     node bench/trainer/waiting.ts [--seconds 20] [--threads 2]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { VOCAB_SIZE } from "../../prepare/constants.ts";
import { prepareDataset } from "../../prepare/dataset.ts";
import { packageRoot } from "../../src/package-root.ts";

const { values } = parseArgs({
	options: {
		seconds: { type: "string", default: "20" },
		threads: { type: "string", default: String(availableParallelism()) },
	},
});

/** What train.ts exports in place of its own train(). */
const TIMED = `
export function train(model, batches, report) {
	const began = performance.now();
	let waited = 0;
	const source = batches[Symbol.iterator]();
	const next = () => {
		const asked = performance.now();
		const batch = source.next();
		waited += performance.now() - asked;
		return batch;
	};
	training(model, { [Symbol.iterator]: () => ({ next }) }, report);
	const took = performance.now() - began;
	console.log(\`waited \${waited.toFixed(0)} ms of \${took.toFixed(0)}: \${((100 * waited) / took).toFixed(2)}%\`);
}
`;

await prepareDataset({ source: "sotu", vocabSize: VOCAB_SIZE });
const dir = mkdtempSync(join(tmpdir(), "autoresearch-bench-"));
try {
	const source = readFileSync(join(packageRoot, "trainer/train.ts"), "utf8");
	const file = join(dir, "train.ts");
	writeFileSync(file, source.replace("export function train(", "function training(") + TIMED);
	const { seconds, threads } = values;
	const args = ["--file", file, "--budget", seconds, "--threads", threads, "--out", join(dir, "out")];
	execFileSync(process.execPath, [join(packageRoot, "trainer/harness/train-main.ts"), ...args], { stdio: "ignore" });
	process.stdout.write(readFileSync(join(dir, "out/output.log"), "utf8"));
} finally {
	rmSync(dir, { recursive: true, force: true });
}
