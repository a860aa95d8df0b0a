/** `autoresearch run`: the loop without a screen, one line an event. */
import { Command, Option } from "commander";
import type { Engine } from "../engine/engine.ts";
import { eventLine } from "../report/event-line.ts";
import { addRunOptions, jsonOption, type RunFlags, runOptions } from "./options.ts";
import { prepareDisplay } from "./prepare-progress.ts";

export function runCommand(): Command {
	return addRunOptions(new Command("run"))
		.description("run the loop without a screen: one line an event")
		.optionsGroup("What to print:")
		.addOption(jsonOption("print each event as one JSON object a line"))
		.addOption(new Option("--show-brief", "print exactly what the researcher would be given next, and stop"))
		.addHelpText(
			"after",
			`
Examples:
  autoresearch run --budget 30s --experiments 12      a dozen short experiments, then stop
  autoresearch run --tag nov21                        carry on with that run, or start it
  autoresearch run --show-brief | less                what the researcher would be told now
  autoresearch run --json | jq 'select(.type == "experiment.decided")'

Ctrl-C stops in an orderly way; the same --tag carries on later.`,
		)
		.action(async (flags: RunFlags & { json?: boolean; showBrief?: boolean }) => {
			if (flags.showBrief) {
				const { showBrief } = await import("../engine/show-brief.ts");
				process.stdout.write(`${await showBrief(runOptions(flags))}\n`);
				return;
			}
			process.exitCode = await runPlain(flags, flags.json ?? false);
		});
}

/** Runs until the end, printing to stdout. Returns the exit code: 0, or 128 + the signal that ended it. */
export async function runPlain(flags: RunFlags, json: boolean): Promise<number> {
	const display = prepareDisplay();
	const print = (line: string) => process.stdout.write(`${line}\n`);
	const { startEngine } = await import("../engine/start.ts");
	const engine = await startEngine(runOptions(flags), {
		onPrepare: display.show,
		onEvent: (state, event) => {
			display.end();
			if (json) {
				if (!event.type.startsWith("tick.")) print(JSON.stringify(event));
				return;
			}
			const line = eventLine(state, event);
			if (line) print(line);
		},
	}).finally(display.end);
	const exitCode = stopOnSignal(engine);
	await engine.finished;
	return exitCode();
}

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** The first signal stops the run in an orderly way, the second at once. Returns how to learn the exit code. */
function stopOnSignal(engine: Engine): () => number {
	let code = 0;
	for (const [signal, value] of Object.entries(SIGNALS)) {
		process.on(signal, () => {
			if (code) process.exit(value);
			code = value;
			process.stderr.write(`\n${signal}: stopping; again to stop at once. The same --tag carries on.\n`);
			void engine.command({ type: "stop" });
		});
	}
	return () => code;
}
