/**
 * What the console costs, on the real components in a real pseudo-terminal: 10,000 experiments in the table, ten ticks of
 * progress a second.
 *
 *     npm run bench:tui [-- --seconds 300] [-- --json]
 *
 * Processor share, bytes and memory are taken after a warm-up of a minute (a third of a shorter run). Then keys are
 * pressed; a key's latency ends when the screen, as a terminal emulator keeps it, shows its effect.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { fold, initialState, type State } from "../../src/loop/state.ts";
import { inFlight, night } from "../../test/tui/night.ts";
import { Terminal } from "../../test/tui/terminal.ts";
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
	rss_growth_mb: "MB the resident set grew after the warm-up, flat",
	key_ms_p50: "ms from a key to its effect on the screen at the median, under 50",
	first_frame_ms: "ms from the start of the process to the first frame, under 400",
};

async function measure(seconds: number): Promise<Figures> {
	const folder = mkdtempSync(join(tmpdir(), "autoresearch-bench-"));
	const [stateFile, samplesFile] = [join(folder, "state.json"), join(folder, "samples.jsonl")];
	writeFileSync(stateFile, JSON.stringify(bigState()));
	writeFileSync(samplesFile, "");
	const command = [process.execPath, join(import.meta.dirname, "app.ts"), stateFile, samplesFile] as const;
	try {
		// The first run warms the file cache; the second is the one that counts.
		const warm = new Terminal(command, SIZE);
		await warm.shows("program.md");
		await leave(warm);

		const startedAt = performance.now();
		const terminal = new Terminal(command, SIZE);
		await terminal.shows("program.md");
		const firstFrame = performance.now() - startedAt;
		const warmUp = Math.min(60, seconds / 3);
		await setTimeout(warmUp * 1000);
		const bytesAtWarm = Buffer.byteLength(terminal.output);
		await setTimeout((seconds - warmUp) * 1000);
		const bytes = Buffer.byteLength(terminal.output) - bytesAtWarm;
		const measuredAt = firstFrame / 1000 + seconds;

		const latencies: number[] = [];
		for (let row = 2; row < 2 + KEYS; row++) {
			// At no fixed distance from the ticks.
			await setTimeout(200 + ((row * 7919) % 300));
			latencies.push(await keyLatency(terminal, "j", `${row}/${EXPERIMENTS + 1}`));
		}
		await leave(terminal);

		const samples = readFileSync(samplesFile, "utf8")
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line) as Sample);
		const own = samples.slice(samples.findLastIndex((sample, i) => i === 0 || sample.at < samples[i - 1]!.at));
		const from = own.find(({ at }) => at >= warmUp)!;
		const to = own.findLast(({ at }) => at <= measuredAt)!;
		return {
			cpu_percent: round((100 * (to.cpu - from.cpu)) / (to.at - from.at), 2),
			bytes_per_s: Math.round(bytes / (seconds - warmUp)),
			rss_growth_mb: round(to.rssMb - from.rssMb, 1),
			key_ms_p50: round(median(latencies), 1),
			first_frame_ms: Math.round(firstFrame),
		};
	} finally {
		rmSync(folder, { recursive: true });
	}
}

function bigState(): State {
	let state = initialState();
	for (const event of night({ decided: EXPERIMENTS })) state = fold(state, event);
	const parent = state.experiments[state.best - 1]!.commit!;
	for (const event of inFlight(EXPERIMENTS + 1, parent, state.program.version, state.seq, 0.01))
		state = fold(state, event);
	return state;
}

/** Milliseconds from a key to the moment the screen shows `effect`. */
function keyLatency(terminal: Terminal, key: string, effect: string): Promise<number> {
	return new Promise((resolve) => {
		const sentAt = performance.now();
		const seen = terminal.xterm.onWriteParsed(() => {
			if (!terminal.screen().includes(effect)) return;
			seen.dispose();
			resolve(performance.now() - sentAt);
		});
		terminal.send(key);
	});
}

async function leave(terminal: Terminal): Promise<void> {
	terminal.kill("SIGTERM");
	await terminal.exited;
}

function median(values: number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function round(value: number, digits: number): number {
	return Number(value.toFixed(digits));
}

const { values } = parseArgs({
	options: { seconds: { type: "string", default: "300" }, json: { type: "boolean", default: false } },
});
const figures = await measure(Number(values.seconds));
for (const [name, target] of Object.entries(TARGETS)) {
	console.log(`${String(figures[name as keyof Figures]).padStart(8)}  ${name.padEnd(15)} ${target}`);
}
if (values.json) console.log(JSON.stringify(figures));
