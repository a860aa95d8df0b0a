/** Makes a researcher from its name and settings. */

import { commandSchema, type ResearcherConfig } from "../lab/researcher-config.ts";
import { createAnthropic } from "./anthropic/anthropic.ts";
import { createCommand } from "./command/command.ts";
import { PRESETS } from "./command/presets.ts";
import { canReachModel, resolveConfig } from "./config.ts";
import { withFallback } from "./fallback.ts";
import { RESEARCHERS } from "./names.ts";
import { type Researcher, ResearcherError } from "./researcher.ts";
import { createSearch } from "./search/search.ts";

/** Claude where there is a key, the search where there is none. */
export function defaultResearcher(config: ResearcherConfig, env: NodeJS.ProcessEnv): string {
	return config.name ?? (canReachModel(config, env) ? "anthropic" : "search");
}

/** Throws a ResearcherError for a name it does not know, or one that lacks its settings. */
export function createResearcher(
	name: string,
	config: ResearcherConfig = resolveConfig(undefined, process.env),
	env: NodeJS.ProcessEnv = process.env,
): Researcher {
	const researcher = create(name, config, env);
	return config.fallback && !researcher.isInstant ? withFallback(researcher, createSearch()) : researcher;
}

function create(name: string, config: ResearcherConfig, env: NodeJS.ProcessEnv): Researcher {
	if (name === "search") return createSearch();
	if (name === "anthropic") {
		if (!canReachModel(config, env)) {
			throw new ResearcherError(
				"The anthropic researcher needs a key: set ANTHROPIC_API_KEY, or --base-url for a server of your own.",
			);
		}
		return createAnthropic(config.anthropic, env);
	}
	if (name === "command") {
		if (!config.command) {
			throw new ResearcherError(
				'The command researcher needs researcher.command in the lab file, like { "command": ["my-agent"] }.',
			);
		}
		return createCommand(name, config.command, env);
	}
	const preset = PRESETS.find((candidate) => candidate.name === name);
	if (preset) return createCommand(name, commandSchema.parse({ command: preset.command, env: preset.env }), env);
	const known = RESEARCHERS.map((researcher) => researcher.name).join(", ");
	throw new ResearcherError(`There is no researcher "${name}". There are: ${known}.`);
}
