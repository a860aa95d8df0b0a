/** Makes a researcher from its name and settings. */

import { commandSchema, type ResearcherConfig } from "../lab/researcher-config.ts";
import { createAnthropic } from "./anthropic/anthropic.ts";
import { createCommand } from "./command/command.ts";
import { type AgentOption, commandOf, PRESETS, type Preset } from "./command/presets.ts";
import { canReachModel, FLAGS, resolveConfig, type Setting, type Settings } from "./config.ts";
import { withFallback } from "./fallback.ts";
import { RESEARCHERS } from "./names.ts";
import { type Researcher, ResearcherError } from "./researcher.ts";
import { createSearch } from "./search/search.ts";

/** Claude where there is a key, the search where there is none. */
export function defaultResearcher(config: ResearcherConfig, env: NodeJS.ProcessEnv): string {
	return config.name ?? (canReachModel(config, env) ? "anthropic" : "search");
}

/**
 * @throws ResearcherError for a name that is not known, for settings that are missing, and for a flag that sets what
 * the researcher does not have
 */
export function createResearcher(
	name: string,
	config: Settings = resolveConfig(undefined, process.env),
	env: NodeJS.ProcessEnv = process.env,
): Researcher {
	const make = Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined;
	if (!make) {
		const known = RESEARCHERS.map((researcher) => researcher.name).join(", ");
		throw new ResearcherError(`There is no researcher "${name}". There are: ${known}.`);
	}
	const researcher = make(config, env);
	return config.fallback && !researcher.isInstant ? withFallback(researcher, createSearch()) : researcher;
}

/** How each researcher is made from the settings; the names are those of names.ts. */
const MAKERS: Record<string, (config: Settings, env: NodeJS.ProcessEnv) => Researcher> = {
	search(config) {
		refuseFlags(config, [], "the built-in search asks no model; leave it out, or name another with --researcher");
		return createSearch();
	},
	anthropic(config, env) {
		if (!canReachModel(config, env)) {
			throw new ResearcherError(
				"The anthropic researcher needs a key: set ANTHROPIC_API_KEY, or --base-url for a server of your own.",
			);
		}
		return createAnthropic(config.anthropic, env);
	},
	command(config, env) {
		if (!config.command) {
			throw new ResearcherError(
				'The command researcher needs researcher.command in the lab file, like { "command": ["my-agent"] }.',
			);
		}
		refuseFlags(config, [], "what your own program is given stands in researcher.command of the lab file");
		return createCommand("command", config.command, env);
	},
	...Object.fromEntries(
		PRESETS.map((preset) => [preset.name, (config, env) => createPreset(preset, config, env)] as const),
	),
};

function createPreset(preset: Preset, config: Settings, env: NodeJS.ProcessEnv): Researcher {
	const { asked = {} } = config;
	const [program] = preset.command;
	const known = Object.keys(preset.options) as AgentOption[];
	refuseFlags(config, known, `${program} has no such flag; leave it out, and use ${program}'s own configuration`);
	return createCommand(preset.name, commandSchema.parse(commandOf(preset, asked)), env, asked.model);
}

/** @param why continues the sentence that names the flag */
function refuseFlags({ flagged = [] }: Settings, known: readonly Setting[], why: string): void {
	const unknown = flagged.find((setting) => !known.includes(setting));
	if (unknown) throw new ResearcherError(`${FLAGS[unknown]} would have no effect: ${why}.`);
}
