/**
 * Labs in temporary folders: real git repositories whose trainer is a small real program that needs no tensors, so that
 * the loop can be tested in seconds. Its "model" is a formula of two constants; a third makes it misbehave.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

const TRAIN_FILE = `const MATRIX_LR = 0.02; // 0.001..0.1
// The model
const DEPTH = 4; // 1..8
export const FAULT = "none";
export const SECONDS = 0;
export const value = () => 2 + Math.abs(Math.log(MATRIX_LR / 0.05)) * 0.1 + Math.abs(DEPTH - 6) * 0.05;
`;

const TRAINER = `import { FAULT, SECONDS, value } from "./train.js";
import fs from "node:fs";
const step = (n, left) =>
	process.stdout.write(
		"\\rstep " + String(n).padStart(5, "0") + " (50.0%) | loss: 3.100000 | lrm: 1.00 | dt: 10ms | " +
			"tok/sec: 12,000 | mfu: 0.0% | epoch: 1 | remaining: " + left + "s    ",
	);
step(1, 1);
if (FAULT === "throw") throw new Error("the matrix is singular");
if (FAULT === "exit") process.exit(3);
if (FAULT === "abort") process.abort();
if (FAULT === "hang") for (;;) {}
if (FAULT === "stray") (await import("node:child_process")).spawn("sleep", ["1000"], { stdio: "inherit" });
if (FAULT === "lie") console.log("\\n---\\nval_bpb:          0.000001");
fs.writeFileSync(process.env.AUTORESEARCH_OUT + "/value", FAULT === "nan" ? "NaN" : String(value()));
fs.writeFileSync(process.env.AUTORESEARCH_OUT + "/env", Object.keys(process.env).join("\\n"));
await new Promise((done) => setTimeout(done, SECONDS * 1000));
step(2, 0);
console.log("\\n---\\nnum_steps:        2\\npeak_vram_mb:     512.0");
`;

const METRIC = `import fs from "node:fs";
const value = Number(fs.readFileSync(process.env.AUTORESEARCH_OUT + "/value", "utf8"));
console.log("---\\nval_bpb:          " + value.toFixed(6));
`;

const LAB = {
	name: "formula",
	edit: ["train.js"],
	train: { command: [process.execPath, "trainer.js"] },
	evaluate: { command: [process.execPath, "metric.js"] },
	budget: "2s",
};

export interface LabFolder {
	dir: string;
	git(...args: string[]): string;
	write(path: string, text: string): void;
}

export function tempDir(t: TestContext): string {
	const dir = realpathSync(mkdtempSync(join(tmpdir(), "autoresearch-test-")));
	t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
	return dir;
}

/** A committed lab; `train` replaces parts of the training file, `lab` keys of autoresearch.json. */
export function makeLab(
	t: TestContext,
	options: { train?: [string, string][]; lab?: object; program?: string } = {},
): LabFolder {
	const dir = tempDir(t);
	const folder: LabFolder = {
		dir,
		git: (...args) =>
			execFileSync("git", args, { cwd: dir, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim(),
		write: (path, text) => {
			mkdirSync(dirname(join(dir, path)), { recursive: true });
			writeFileSync(join(dir, path), text);
		},
	};
	let train = TRAIN_FILE;
	for (const [from, to] of options.train ?? []) train = train.replace(from, to);
	folder.write("autoresearch.json", JSON.stringify({ ...LAB, ...options.lab }));
	folder.write("package.json", '{"type":"module"}\n');
	folder.write("train.js", train);
	folder.write("trainer.js", TRAINER);
	folder.write("metric.js", METRIC);
	folder.write("program.md", options.program ?? "Try what you like.\n");
	folder.git("init", "--quiet", "--initial-branch=main");
	folder.git("config", "user.name", "A Person");
	folder.git("config", "user.email", "person@example.org");
	folder.git("add", ".");
	folder.git("commit", "--quiet", "--message", "start");
	return folder;
}
