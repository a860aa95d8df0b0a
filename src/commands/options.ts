/** Options that several commands share, and how their values are read. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type RunOptions, todaysTag } from "../engine/start.ts";
import { parseDuration } from "../lab/duration.ts";
import { RESEARCHERS } from "../researcher/index.ts";

export function labOption(): Option {
	return new Option("--lab <dir>", "the lab: a folder with an autoresearch.json").default(".", "this folder");
}

export function tagOption(): Option {
	return new Option("--tag <name>", "which run").default(undefined, `today, ${todaysTag()}`);
}

export function seedOption(): Option {
	return new Option("--seed <n>", "seed of the training runs and of the search")
		.argParser(integer(0))
		.default(undefined, "1, or the run's own");
}

export function threadsOption(): Option {
	return new Option("--threads <n>", "threads of the trainer").argParser(integer(1)).default(undefined, "all cores");
}

export function deviceOption(): Option {
	return new Option("--device <name>", "where to train").choices(["cpu"]).default("cpu");
}

export function budgetOption(): Option {
	return new Option("--budget <time>", "training time of each experiment, like 5m or 30s")
		.argParser(duration)
		.default(undefined, "the lab's, 5m");
}

export function jsonOption(what: string): Option {
	return new Option("--json", what);
}

/** The options of `tui` and `run`. */
export function addRunOptions(command: Command): Command {
	const researchers = RESEARCHERS.map(({ name, summary }) => `${name} (${summary})`).join(", ");
	return command
		.addOption(labOption())
		.addOption(tagOption())
		.addOption(budgetOption())
		.addOption(
			new Option("--experiments <n>", "stop after n experiments, the baseline being the first").argParser(integer(1)),
		)
		.addOption(
			new Option("--researcher <name>", `who proposes: ${researchers}`)
				.choices(RESEARCHERS.map(({ name }) => name))
				.default("search"),
		)
		.addOption(seedOption())
		.addOption(threadsOption())
		.addOption(deviceOption());
}

export type RunFlags = RunOptions;

function integer(least: number): (text: string) => number {
	return (text) => {
		const value = Number(text);
		if (!/^\d+$/.test(text.trim()) || value < least || value > 2 ** 31 - 1) {
			throw new InvalidArgumentError(`It must be a whole number, at least ${least}.`);
		}
		return value;
	};
}

function duration(text: string): number {
	const seconds = parseDuration(text);
	if (seconds === undefined) throw new InvalidArgumentError('It must be a time such as "5m", "30s" or "1h30m".');
	return seconds;
}
