/**
 * Shows the console on a scripted run in this terminal, for work on the console; the tests run it too:
 *
 *     npm run build && npx node test/tui/demo.ts [--scenario NAME] [--plain] [--still] [--crash] [--program FILE]
 *
 * `--scenario` is one of scenarios.ts. `--still` stops the clock and the training, so that the screen does not change
 * on its own. `--crash` makes the first command throw an error that nothing catches.
 */
import { mock } from "node:test";
import { parseArgs } from "node:util";
import { playTraining, SCENARIOS, type Scenario } from "./scenarios.ts";
import { openScriptedEngine } from "./scripted-engine.ts";
import { BUDGET_SECONDS, EXPERIMENT_MS, progressAt, STARTED_AT } from "./scripted-run.ts";

process.env.NODE_ENV = "production";
const { values } = parseArgs({
	options: {
		scenario: { type: "string", default: "" },
		program: { type: "string", default: "program.md" },
		plain: { type: "boolean", default: false },
		crash: { type: "boolean", default: false },
		still: { type: "boolean", default: false },
	},
});
const { run: changes, play = playTraining }: Scenario = SCENARIOS[values.scenario as keyof typeof SCENARIOS] ?? {};
const run = { decided: 37, ...changes };
// 140 seconds have passed since the last decision.
const passed = run.decided * EXPERIMENT_MS + 140_000;
const startedAt = values.still ? STARTED_AT : Date.now() - passed;
if (values.still) mock.timers.enable({ apis: ["Date"], now: startedAt + passed });

// The built console, so that the tests drive what is shipped.
const built = new URL("../../dist/src/tui/tui.js", import.meta.url).href;
const { runTui } = (await import(built)) as typeof import("../../src/tui/tui.tsx");

const engine = openScriptedEngine({ ...run, startedAt }, values.program);
await play(engine);
if (values.crash)
	engine.command = () => {
		throw new Error("the scripted crash");
	};

let elapsed = engine.state.live.training?.elapsed ?? 0;
const ticks = values.still
	? undefined
	: setInterval(() => {
			elapsed = (elapsed + 0.1) % BUDGET_SECONDS;
			const { phase, n } = engine.state.live;
			if (phase === "training") engine.report(progressAt(n, elapsed));
		}, 100);
await runTui(engine, { plain: values.plain });
clearInterval(ticks);
