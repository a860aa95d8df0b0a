/** Every command, in one list. Each is a file in commands/. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { doctorCommand } from "./commands/doctor.ts";
import { evaluateCommand } from "./commands/evaluate.ts";
import { prepareCommand } from "./commands/prepare.ts";
import { resultsCommand } from "./commands/results.ts";
import { runCommand } from "./commands/run.ts";
import { steerCommand } from "./commands/steer.ts";
import { trainCommand } from "./commands/train.ts";
import { tuiCommand } from "./commands/tui.ts";
import { messageOf, UserError } from "./errors.ts";
import { packageRoot } from "./package-root.ts";

/** The exit code of a mistake in how the program was called, or in what it was called on. */
const USAGE = 2;

export function createCli(): Command {
	const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, "utf8")) as { version: string };
	const cli = new Command("autoresearch")
		.description(
			"A terminal console that owns an autonomous ML research loop: propose, train, measure, keep or revert, all night.",
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
	const commands = [
		tuiCommand,
		runCommand,
		steerCommand,
		prepareCommand,
		trainCommand,
		evaluateCommand,
		resultsCommand,
		doctorCommand,
	];
	for (const command of commands) cli.addCommand(command());
	for (const command of [cli, ...cli.commands]) command.exitOverride();
	return cli;
}

/** Runs the command line; returns the exit code. */
export async function main(args: string[]): Promise<number> {
	try {
		await createCli().parseAsync(args, { from: "user" });
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

/** prepare/ and trainer/ import nothing from src/, so their errors for people are known by name. */
function isUsersToMend(error: unknown): boolean {
	return error instanceof UserError || (error instanceof Error && ["PrepareError", "DeviceError"].includes(error.name));
}
