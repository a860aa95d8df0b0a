/**
 * How fast the trainer is: a whole training step (forward, backward, AdamW) of the same GPT in our library, in PyTorch
 * where python3-torch is installed, and with ggml's own operations alone. The sides take turns, so that a noisy machine
 * is noisy for all of them; a side's figure is the median of its steps. Its share of the peak is the median of its
 * rounds', each of its best step against the best sgemm of that round, ours or PyTorch's: a best against a median would
 * measure the noise.
 *
 *     npm run bench:trainer                 a table
 *     npm run bench:trainer -- --json       and one JSON object as the last line
 *     npm run bench:trainer -- --threads 4 --rounds 3 --steps 5
 */
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { median } from "../statistics.ts";
import type { Side } from "./gpt.ts";

const { values } = parseArgs({
	options: {
		json: { type: "boolean", default: false },
		threads: { type: "string", default: String(availableParallelism()) },
		rounds: { type: "string", default: "3" },
		steps: { type: "string", default: "4" },
	},
});
const [threads, rounds, steps] = [values.threads, values.rounds, values.steps].map(Number) as [number, number, number];

/** Width, layers, heads, tokens, sequences, vocabulary. The last is train.ts's own size. */
const SHAPES: Side["shape"][] = [
	[256, 4, 2, 256, 16, 2048],
	[256, 4, 2, 256, 16, 8192],
	[128, 4, 2, 128, 16, 1024],
	[128, 4, 4, 256, 8, 4096],
];
/** Debian's python3-torch belongs to the system's Python; another may come first on the PATH. */
const PYTHONS = ["/usr/bin/python3", "python3"];

interface Peak {
	gflops: number;
	/** What the FMA units do with everything in registers. */
	ceiling: number;
}

interface Figure {
	milliseconds: number[];
	parameters: number;
	version?: string;
}

const run = promisify(execFile);
const here = import.meta.dirname;

async function output<T>(program: string, ...args: string[]): Promise<T> {
	const { stdout } = await run(program, args);
	return JSON.parse(stdout.trim().split("\n").at(-1)!) as T;
}

async function findTorch(): Promise<string | undefined> {
	for (const python of PYTHONS) {
		const found = await run(python, ["-c", "import torch"]).catch(() => undefined);
		if (found) return python;
	}
	return undefined;
}

/** Floating-point operations of one step, as PaLM's appendix B counts them: 6 a weight and token, and attention's. */
function flops([D, L, , T, B, V]: Side["shape"], parameters: number): number {
	return (6 * (parameters - V * D) + 12 * L * D * T) * B * T;
}

const torch = await findTorch();
const ours = (shape: Side["shape"], lowering: Side["lowering"]) =>
	output<Figure>(process.execPath, join(here, "gpt.ts"), JSON.stringify({ shape, steps, threads, lowering }));
const peer = (shape: Side["shape"]) =>
	output<Figure>(torch!, join(here, "peer.py"), JSON.stringify({ shape, steps, threads }));

/** The faster of the two libraries' sgemm, at this moment of the machine. */
async function measurePeak(): Promise<Peak> {
	const own = await output<Peak>(process.execPath, join(here, "peak.ts"), `${threads}`);
	if (!torch) return own;
	const theirs = await output<{ gflops: number }>(
		torch,
		join(here, "peer.py"),
		JSON.stringify({ peak: true, threads }),
	);
	// The reference BLAS is no fair comparison, and a step with it takes half a minute.
	if (theirs.gflops < own.gflops / 5) {
		throw new Error(
			`PyTorch's matrix products reach ${theirs.gflops.toFixed(0)} GFLOPS where ours reach ${own.gflops.toFixed(0)}: ` +
				"it runs on the reference BLAS, which is no fair peer; apt-get install libopenblas0-pthread, then run again",
		);
	}
	return { gflops: Math.max(own.gflops, theirs.gflops), ceiling: own.ceiling };
}

const ratios: Record<string, number> = {};
const rows: string[][] = [["configuration", "ours", "tok/s", "of peak", "PyTorch", "ratio", "ggml alone", "ratio"]];
let peakFraction = 0;
let version = "";
const peaks: Peak[] = [];
for (const shape of SHAPES) {
	const times = { ours: [] as number[], torch: [] as number[], ggml: [] as number[] };
	const fractions: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const mine = await ours(shape, "cpu");
		times.ours.push(...mine.milliseconds);
		// The speed of a shared machine varies by a quarter, so each round measures its own peak.
		const peak = await measurePeak();
		peaks.push(peak);
		fractions.push(flops(shape, mine.parameters) / Math.min(...mine.milliseconds) / 1e6 / peak.gflops);
		if (torch) {
			const theirs = await peer(shape);
			if (theirs.parameters !== mine.parameters) throw new Error("the sides train different models");
			times.torch.push(...theirs.milliseconds);
			version = theirs.version!;
		}
		times.ggml.push(...(await ours(shape, "portable")).milliseconds);
		const soFar = Object.entries(times).filter(([, all]) => all.length > 0);
		const medians = soFar.map(([side, all]) => `${side} ${median(all).toFixed(0)} ms`).join(", ");
		console.log(`${shape.join(" ")}: round ${round + 1} of ${rounds}: ${medians}`);
	}
	const [own, ggml] = [median(times.ours), median(times.ggml)];
	const fraction = median(fractions);
	if (shape === SHAPES[0]) peakFraction = fraction;
	const name = shape.join(" ");
	if (torch) ratios[name] = Number((median(times.torch) / own).toFixed(2));
	rows.push([
		name,
		`${own.toFixed(0)} ms`,
		((shape[3] * shape[4] * 1e3) / own).toFixed(0),
		`${(100 * fraction).toFixed(0)}%`,
		torch ? `${median(times.torch).toFixed(0)} ms` : "-",
		torch ? `${ratios[name]}x` : "-",
		`${ggml.toFixed(0)} ms`,
		`${(ggml / own).toFixed(2)}x`,
	]);
}

const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
console.log();
for (const row of rows) {
	console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "));
}
const best = Math.max(...peaks.map(({ gflops }) => gflops));
const ceiling = Math.max(...peaks.map((peak) => peak.ceiling));
console.log(
	`sgemm peak up to ${best.toFixed(0)} GFLOPS of ${ceiling.toFixed(0)} in registers alone, ${threads} threads`,
);
console.log(
	torch
		? `PyTorch ${version}`
		: "PyTorch is not installed (apt-get install python3-torch libopenblas0-pthread): no ratios",
);
if (values.json) {
	console.log(JSON.stringify({ ratios: torch ? ratios : null, peak_fraction: Number(peakFraction.toFixed(3)) }));
}
