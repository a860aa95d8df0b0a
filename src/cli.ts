/** Every command, in one list. Each is a file in commands/. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { hasCode, messageOf, UserError } from "./errors.ts";
import { packageRoot } from "./package-root.ts";

/** The exit code of a mistake in how the program was called, or in what it was called on. */
const USAGE = 2;

/**
 * Each command by name, in the order of --help. Only what is asked for is loaded: the console's first frame waits for
 * it.
 */
const COMMANDS: Record<string, () => Promise<() => Command>> = {
	tui: async () => (await import("./commands/tui.ts")).tuiCommand,
	run: async () => (await import("./commands/run.ts")).runCommand,
	steer: async () => (await import("./commands/steer.ts")).steerCommand,
	prepare: async () => (await import("./commands/prepare.ts")).prepareCommand,
	train: async () => (await import("./commands/train.ts")).trainCommand,
	evaluate: async () => (await import("./commands/evaluate.ts")).evaluateCommand,
	results: async () => (await import("./commands/results.ts")).resultsCommand,
	doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
};

/** The command line with the one command `asked` names, or with all of them. */
async function createCli(asked: string | undefined): Promise<Command> {
	const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, "utf8")) as { version: string };
	const cli = new Command("autoresearch")
		.description(
			"A terminal console that owns an autonomous ML research loop: " +
				"propose, train, measure, keep or revert, all night.",
		)
		.version(version)
		.showSuggestionAfterError()
		.showHelpAfterError("(add --help for what there is)")
		.addHelpText(
			"after",
			`
Examples:
  autoresearch tui                              watch and steer a run in this lab, tagged by today's date
  autoresearch run --experiments 20             the same without a screen
  autoresearch results --json                   what has been found so far
  autoresearch doctor                           what this machine has

Edit program.md while a run goes on: the next proposal follows it.`,
		);
	const load = COMMANDS[asked ?? ""];
	for (const loader of load ? [load] : Object.values(COMMANDS)) cli.addCommand((await loader())());
	for (const command of [cli, ...cli.commands]) command.exitOverride();
	return cli;
}

/** Runs the command line; returns the exit code. */
export async function main(args: string[]): Promise<number> {
	process.stdout.once("error", outputFailed);
	try {
		const cli = await createCli(args[0]);
		await cli.parseAsync(args, { from: "user" });
		return Number(process.exitCode ?? 0);
	} catch (error) {
		if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
		if (isUsersToMend(error)) {
			process.stderr.write(`autoresearch: ${messageOf(error)}\n`);
			return USAGE;
		}
		process.stderr.write(`autoresearch: ${error instanceof Error ? error.stack : String(error)}\n`);
		return 1;
	}
}

/** A reader that went away (| head) has read enough, and a full disk loses the output: neither ends a run. */
function outputFailed(error: Error): void {
	process.stdout.on("error", () => {});
	if (hasCode(error, "EPIPE")) return;
	process.stderr.write(`autoresearch: standard output cannot be written: ${messageOf(error)}\n`);
	process.exitCode = 1;
}

/** prepare/ and trainer/ import nothing from src/, so their errors for people are known by name. */
function isUsersToMend(error: unknown): boolean {
	return error instanceof UserError || (error instanceof Error && ["PrepareError", "DeviceError"].includes(error.name));
}
