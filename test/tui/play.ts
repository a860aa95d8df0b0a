/**
 * Plays the scripted night in this terminal, for whoever works on the console:
 *
 *     npm run build && npx node test/tui/play.ts [--decided 37] [--share 0.4] [--plain] [--still] [--crash]
 *
 * `--share none` leaves it at a run that has only just started, `--moment NAME` adds one of moments.ts. `--still` stops all clocks, so that the screen is the same at every moment; `--crash` makes the first command fail in a
 * way nobody caught. The tests run it so.
 */
import { parseArgs } from "node:util";
import { MOMENTS } from "./moments.ts";
import { inFlight, night, progressAt, STARTED_AT } from "./night.ts";
import { ScriptedEngine } from "./scripted-engine.ts";

process.env.NODE_ENV = "production";
const { values } = parseArgs({
	options: {
		decided: { type: "string", default: "37" },
		share: { type: "string", default: "0.4" },
		program: { type: "string", default: "program.md" },
		plain: { type: "boolean", default: false },
		moment: { type: "string", default: "" },
		crash: { type: "boolean", default: false },
		still: { type: "boolean", default: false },
	},
});
// The console as it is built: what the tests drive is what is shipped.
const built = new URL("../../dist/src/tui/tui.js", import.meta.url).href;
const { runTui } = (await import(built)) as typeof import("../../src/tui/tui.tsx");

const engine = new ScriptedEngine(values.program);
const decided = Number(values.decided);
engine.play(night({ decided }));
const n = decided + 1;
const parent = engine.state.experiments[engine.state.best - 1]?.commit ?? engine.state.base;
if (values.share !== "none")
	engine.play(inFlight(n, parent, engine.state.program.version, engine.state.seq, Number(values.share)));

const now = STARTED_AT + (n - 1) * 318_000 + 140_000;
MOMENTS[values.moment]?.(engine, now);
if (values.crash)
	engine.command = () => {
		throw new Error("the scripted crash");
	};

let elapsed = engine.state.live.training?.elapsed ?? 0;
const ticks = values.still
	? undefined
	: setInterval(() => {
			elapsed = (elapsed + 0.1) % engine.state.budgetSeconds;
			if (engine.state.live.phase === "training")
				engine.emit({ type: "tick.training", n, progress: progressAt(n, elapsed) });
		}, 100);
const clock = values.still ? () => now : undefined;
await runTui(engine, { plain: values.plain, clock });
clearInterval(ticks);
