/**
 * What bench.ts measures: the built console on a state from a file, with ten ticks of progress a second. Writes what it
 * uses, once a second, to a file of its own, since the terminal is the screen's.
 */
import { appendFileSync, readFileSync } from "node:fs";
import type { State } from "../../src/journal/state.ts";
import { BUDGET_SECONDS, progressAt } from "../../test/tui/night.ts";
import { ScriptedEngine } from "../../test/tui/scripted-engine.ts";

/** One line of the samples' file. */
export interface Sample {
	/** Seconds since the process began. */
	at: number;
	/** Processor seconds it has used, in user and system mode. */
	cpu: number;
	rssMb: number;
}

const [stateFile, samplesFile] = process.argv.slice(2) as [string, string];
process.env.NODE_ENV = "production";
const built = new URL("../../dist/src/tui/tui.js", import.meta.url).href;
const { runTui } = (await import(built)) as typeof import("../../src/tui/tui.tsx");

const engine = new ScriptedEngine();
engine.state = JSON.parse(readFileSync(stateFile, "utf8")) as State;
const { n } = engine.state.live;
let elapsed = 0;
const ticks = setInterval(() => {
	elapsed = (elapsed + 0.1) % BUDGET_SECONDS;
	engine.emit({ type: "tick.training", n, progress: progressAt(n, elapsed) });
}, 100);
const samples = setInterval(() => {
	const { user, system } = process.cpuUsage();
	const sample: Sample = { at: process.uptime(), cpu: (user + system) / 1e6, rssMb: process.memoryUsage.rss() / 1e6 };
	appendFileSync(samplesFile, `${JSON.stringify(sample)}\n`);
}, 1000);
await runTui(engine);
clearInterval(ticks);
clearInterval(samples);
