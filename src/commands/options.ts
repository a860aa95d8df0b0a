/** Options that several commands share, and how their values are read. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { isDeviceName } from "../../trainer/tensor/device/name.ts";
import type { RunOptions } from "../engine/start.ts";
import { parseDuration } from "../lab/duration.ts";
import { todaysTag } from "../lab/run-tag.ts";
import { RESEARCHERS, STAND_IN } from "../researcher/names.ts";

export function labOption(): Option {
	return new Option("--lab <dir>", "the lab: a folder with an autoresearch.json").default(".", "this folder");
}

export function tagOption(): Option {
	return new Option("--tag <name>", `which run (default: today, ${todaysTag()})`);
}

export function seedOption(): Option {
	return new Option(
		"--seed <n>",
		"seed of the training runs and of the search (default: 1, or the run's own)",
	).argParser(integer(0));
}

export function threadsOption(): Option {
	return new Option("--threads <n>", "threads of the trainer (default: all cores)").argParser(integer(1));
}

export function deviceOption(): Option {
	return new Option(
		"--device <name>",
		"where to train: auto, cpu, cuda, cuda:1, vulkan, metal (default: auto, or the run's own)",
	).argParser(device);
}

export function budgetOption(): Option {
	return new Option(
		"--budget <time>",
		"training time of each experiment, like 5m or 30s (default: the lab's)",
	).argParser(duration);
}

export function jsonOption(what: string): Option {
	return new Option("--json", what);
}

/** What commander makes of the options of `tui` and `run`. */
export interface RunFlags {
	lab: string;
	tag?: string;
	budget?: number;
	experiments?: number;
	maxHours?: number;
	maxTokens?: number;
	maxCost?: number;
	researcher?: string;
	model?: string;
	effort?: string;
	baseUrl?: string;
	fallback?: string;
	draftAhead: boolean;
	seed?: number;
	threads?: number;
	device?: string;
}

/** The options of `tui` and `run`. */
export function addRunOptions(command: Command): Command {
	const researchers = RESEARCHERS.map(({ name, summary }) => `  ${name.padEnd(13)}${summary}`).join("\n");
	return command
		.addOption(labOption())
		.addOption(tagOption())
		.addOption(budgetOption())
		.optionsGroup("When to stop:")
		.addOption(
			new Option("--experiments <n>", "after n experiments, the baseline being the first").argParser(integer(1)),
		)
		.addOption(new Option("--max-hours <h>", "after so many hours").argParser(positive))
		.addOption(new Option("--max-tokens <n>", "after so many tokens of a model, of all kinds").argParser(integer(1)))
		.addOption(
			new Option("--max-cost <money>", "after so much money, where the lab file has prices").argParser(positive),
		)
		.optionsGroup("Who proposes:")
		.addOption(researcherOption())
		.addOption(new Option("--model <id>", "the language model behind it, or behind a coding agent"))
		.addOption(new Option("--effort <level>", "how much the model thinks: low, medium, high, xhigh, max"))
		.addOption(new Option("--base-url <url>", "another server that speaks the Messages API"))
		.addOption(
			new Option("--fallback <name>", `who proposes while a model is out of reach: ${STAND_IN}`).choices([STAND_IN]),
		)
		.addOption(new Option("--no-draft-ahead", "do not draft the next proposal while one trains"))
		.optionsGroup("The trainer:")
		.addOption(seedOption())
		.addOption(threadsOption())
		.addOption(deviceOption())
		.addHelpText("after", `\nResearchers:\n${researchers}`);
}

function researcherOption(): Option {
	const description = "who proposes (default: anthropic where there is a key, else search)";
	return new Option("--researcher <name>", description).choices(RESEARCHERS.map(({ name }) => name));
}

export function runOptions(flags: RunFlags): RunOptions {
	const { lab, tag, budget, seed, threads, device, draftAhead, model, effort, baseUrl, fallback } = flags;
	return {
		lab,
		tag,
		budget,
		seed,
		threads,
		device,
		draftAhead,
		researcher: { name: flags.researcher, model, effort, baseUrl, fallback },
		limits: { experiments: flags.experiments, hours: flags.maxHours, tokens: flags.maxTokens, cost: flags.maxCost },
	};
}

function device(text: string): string {
	if (text === "auto" || isDeviceName(text)) return text;
	throw new InvalidArgumentError("It must be auto, cpu, cuda, cuda:1, vulkan, vulkan:1 or metal.");
}

function positive(text: string): number {
	const value = Number(text);
	if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError("It must be a number above 0.");
	return value;
}

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
