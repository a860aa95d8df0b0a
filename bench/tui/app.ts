/**
 * The program that bench.ts measures: the built console on the run of a journal, with ten progress reports a second.
 * Once a second it writes what the process uses to a file, since the terminal shows the console.
 */
import { appendFileSync } from "node:fs";
import { Store } from "../../src/journal/store.ts";
import { ScriptedEngine, settled } from "../../test/tui/scripted-engine.ts";
import { BUDGET_SECONDS, progressAt } from "../../test/tui/scripted-run.ts";

/** One line of the file of samples. */
export interface Sample {
	/** Seconds since the process began. */
	at: number;
	/** Processor seconds used so far, in user and system mode. */
	cpu: number;
	rssMb: number;
}

const [journal, samplesFile] = process.argv.slice(2) as [string, string];
process.env.NODE_ENV = "production";
const built = new URL("../../dist/src/tui/tui.js", import.meta.url).href;
const { runTui } = (await import(built)) as typeof import("../../src/tui/tui.tsx");

const engine = new ScriptedEngine(new Store(journal));
engine.run();
await settled();
// What reading the journal left behind would hide a growth of the console's own memory.
globalThis.gc!({ type: "major", execution: "sync", flavor: "last-resort" });
const { n } = engine.state.live;
let elapsed = 0;
const ticks = setInterval(() => {
	elapsed = (elapsed + 0.1) % BUDGET_SECONDS;
	engine.report(progressAt(n, elapsed));
}, 100);
const samples = setInterval(() => {
	const { user, system } = process.cpuUsage();
	const sample: Sample = { at: process.uptime(), cpu: (user + system) / 1e6, rssMb: process.memoryUsage.rss() / 1e6 };
	appendFileSync(samplesFile, `${JSON.stringify(sample)}\n`);
}, 1000);
await runTui(engine);
clearInterval(ticks);
clearInterval(samples);
