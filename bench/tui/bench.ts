/**
 * What the console costs, in a real pseudo-terminal: 10,000 experiments in the table, ten progress reports a second.
 *
 *     npm run bench:tui [-- --seconds 300] [-- --json]
 *
 * Processor share, bytes and memory are measured after a warm-up of a minute (a third of a shorter run). V8 collects
 * garbage about every two minutes, so memory rises and falls; its growth is the difference of the maxima of the two
 * halves after the warm-up. Then keys are pressed: the latency of a key ends when a terminal emulator shows its effect.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { BIN } from "../../test/support/cli.ts";
import { makeLab } from "../../test/support/lab.ts";
import { writeJournal } from "../../test/tui/scripted-engine.ts";
import { journalOf } from "../../test/tui/scripted-run.ts";
import { Terminal } from "../../test/tui/terminal.ts";
import { median, round } from "../statistics.ts";
import type { Sample } from "./app.ts";

const EXPERIMENTS = 10_000;
const KEYS = 60;
const SIZE = { columns: 120, rows: 40 };

export interface Figures {
	cpu_percent: number;
	bytes_per_s: number;
	rss_growth_mb: number;
	key_ms_p50: number;
	first_frame_ms: number;
}

const TARGETS: Record<keyof Figures, string> = {
	cpu_percent: "% of one core, under 3",
	bytes_per_s: "bytes a second to the terminal, under 3072",
	rss_growth_mb: "MB the largest resident set grew from the first half after the warm-up to the second, flat",
	key_ms_p50: "ms from a key to its effect on the screen at the median, under 50",
	first_frame_ms: "ms from the start of the program to its first frame, warm, under 400",
};

async function measure(seconds: number): Promise<Figures> {
	const folder = mkdtempSync(join(tmpdir(), "autoresearch-bench-"));
	const [journal, samplesFile] = [join(folder, "journal.jsonl"), join(folder, "samples.jsonl")];
	writeJournal(journal, journalOf({ decided: EXPERIMENTS }));
	writeFileSync(samplesFile, "");
	const command = [process.execPath, "--expose-gc", join(import.meta.dirname, "app.ts"), journal, samplesFile] as const;
	try {
		const terminal = new Terminal(command, SIZE);
		await terminal.shows("program.md");
		const warmUp = Math.min(60, seconds / 3);
		await setTimeout(warmUp * 1000);
		const bytesAtWarm = Buffer.byteLength(terminal.output);
		await setTimeout((seconds - warmUp) * 1000);
		const bytes = Buffer.byteLength(terminal.output) - bytesAtWarm;

		const latencies: number[] = [];
		for (let row = 2; row < 2 + KEYS; row++) {
			// The delay varies, so that keys fall at different times between two progress reports.
			await setTimeout(200 + ((row * 7919) % 300));
			latencies.push(await keyLatency(terminal, "j", `${row}/${EXPERIMENTS + 1}`));
		}
		await leave(terminal);

		const samples = readFileSync(samplesFile, "utf8")
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line) as Sample);
		const begin = samples[0]!.at;
		const from = samples.find(({ at }) => at - begin >= warmUp)!;
		const to = samples.findLast(({ at }) => at - begin <= seconds)!;
		const half = (from.at + to.at) / 2;
		const largestRss = (after: number, until: number) =>
			Math.max(...samples.filter(({ at }) => at >= after && at <= until).map(({ rssMb }) => rssMb));
		return {
			cpu_percent: round((100 * (to.cpu - from.cpu)) / (to.at - from.at), 2),
			bytes_per_s: Math.round(bytes / (seconds - warmUp)),
			rss_growth_mb: round(largestRss(half, to.at) - largestRss(from.at, half), 1),
			key_ms_p50: round(median(latencies), 1),
			first_frame_ms: await firstFrame(),
		};
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/** Milliseconds from the start of the real program on an existing run to its first frame: the median of five. */
async function firstFrame(): Promise<number> {
	const cleanUps: (() => unknown)[] = [];
	const lab = makeLab({ after: (cleanUp: () => unknown) => cleanUps.push(cleanUp) } as unknown as TestContext);
	const command = [
		process.execPath,
		BIN,
		"tui",
		"--researcher",
		"search",
		"--budget",
		"1s",
		"--experiments",
		"1",
	] as const;
	const times: number[] = [];
	for (let i = 0; i < 6; i++) {
		const startedAt = performance.now();
		const terminal = new Terminal(command, { ...SIZE, cwd: lab.dir });
		await seen(terminal, "program.md");
		times.push(performance.now() - startedAt);
		await leave(terminal);
	}
	for (const cleanUp of cleanUps) cleanUp();
	// The first start creates the run and warms the file cache, so it is not counted.
	return Math.round(median(times.slice(1)));
}

/** Milliseconds from a key to the moment the screen shows `effect`. */
async function keyLatency(terminal: Terminal, key: string, effect: string): Promise<number> {
	const sentAt = performance.now();
	terminal.send(key);
	await seen(terminal, effect);
	return performance.now() - sentAt;
}

/** Resolves when the screen shows `text`. */
function seen(terminal: Terminal, text: string): Promise<void> {
	return new Promise((resolve) => {
		const listener = terminal.xterm.onWriteParsed(() => {
			if (!terminal.screen().includes(text)) return;
			listener.dispose();
			resolve();
		});
	});
}

async function leave(terminal: Terminal): Promise<void> {
	terminal.kill("SIGTERM");
	await terminal.exited;
}

const { values } = parseArgs({
	options: { seconds: { type: "string", default: "300" }, json: { type: "boolean", default: false } },
});
const seconds = Number(values.seconds);
if (!(seconds >= 10)) throw new Error(`--seconds ${values.seconds}: ten or more; there would be too few samples`);
const figures = await measure(seconds);
for (const [name, target] of Object.entries(TARGETS)) {
	console.log(`${String(figures[name as keyof Figures]).padStart(8)}  ${name.padEnd(15)} ${target}`);
}
if (values.json) console.log(JSON.stringify(figures));
