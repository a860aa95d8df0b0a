/** `autoresearch tui`: the loop with its console. */
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Command } from "commander";
import { openInBackground } from "../engine/deferred-engine.ts";
import { addRunOptions, type RunFlags, runOptions } from "./options.ts";
import { runPlain } from "./run.ts";

/** Loading the engine keeps the process busy; the first frame is drawn before. */
const FIRST_FRAME_MS = 20;

export function tuiCommand(): Command {
	return addRunOptions(new Command("tui"))
		.description("run the loop and watch and steer it in the terminal")
		.option("--plain", "ASCII only: no lines, blocks or Braille")
		.addHelpText(
			"after",
			`
Examples:
  autoresearch tui                       start or carry on with today's run
  autoresearch tui --tag nov21           that run
  autoresearch tui --budget 30s          a first look: short experiments

Press ? in the console for its keys. Without a terminal it prints the lines of "run".`,
		)
		.action(async (flags: RunFlags & { plain?: boolean }) => {
			if (!process.stdout.isTTY || !process.stdin.isTTY) {
				process.exitCode = await runPlain(flags, false);
				return;
			}
			// The console first: it is on the screen while the engine is still being loaded and opened.
			const { runTui } = await import("#console");
			const { engine, opened } = openInBackground(
				async (listeners) => {
					await setTimeout(FIRST_FRAME_MS);
					const { startEngine } = await import("../engine/start.ts");
					return startEngine(runOptions(flags), listeners);
				},
				async () => {
					const { loadLab } = await import("../lab/lab.ts");
					const { dir, program } = loadLab(flags.lab);
					return join(dir, program);
				},
			);
			await runTui(engine, { plain: flags.plain, opened });
			await engine.command({ type: "stop" });
			await engine.finished;
			process.stdout.write(
				`The run ${engine.state.tag} has stopped; "autoresearch tui --tag ${engine.state.tag}" carries on.\n`,
			);
		});
}
