/** The researchers' settings in force: the lab file's, overruled by the environment, overruled by flags. */
import { UserError } from "../errors.ts";
import { anthropicSchema, type ResearcherConfig, researcherSchema } from "../lab/researcher-config.ts";

/** What flags may set. */
export interface ResearcherFlags {
	name?: string;
	model?: string;
	effort?: string;
	baseUrl?: string;
	fallback?: string;
}

/**
 * The settings in force.
 * @param section the lab file's `researcher` section, already validated or absent
 * @throws UserError naming the flag or variable with a wrong value
 */
export function resolveConfig(
	section: ResearcherConfig | undefined,
	env: NodeJS.ProcessEnv,
	flags: ResearcherFlags = {},
): ResearcherConfig {
	const base = section ?? researcherSchema.parse({});
	const sources: [keyof ResearcherFlags, string, string | undefined][] = [
		["model", "AUTORESEARCH_MODEL", env.AUTORESEARCH_MODEL],
		["effort", "AUTORESEARCH_EFFORT", env.AUTORESEARCH_EFFORT],
		["baseUrl", "ANTHROPIC_BASE_URL", env.ANTHROPIC_BASE_URL],
	];
	const anthropic: Record<string, unknown> = { ...base.anthropic };
	for (const [key, variable, fromEnv] of sources) {
		const value = flags[key] ?? fromEnv;
		if (!value) continue;
		const checked = anthropicSchema.safeParse({ ...anthropic, [key]: value });
		if (!checked.success) {
			const named = flags[key] ? `--${key === "baseUrl" ? "base-url" : key}` : variable;
			throw new UserError(`${named} ${value}: ${checked.error.issues[0]!.message}`);
		}
		anthropic[key] = value;
	}
	if (flags.fallback !== undefined && flags.fallback !== "search") {
		throw new UserError(`--fallback ${flags.fallback}: only "search" can stand in`);
	}
	return {
		...base,
		name: flags.name ?? env.AUTORESEARCH_RESEARCHER ?? base.name,
		fallback: flags.fallback === "search" ? "search" : base.fallback,
		anthropic: anthropicSchema.parse(anthropic),
	};
}

/** Whether the environment or the settings give the Messages API a chance to answer. */
export function canReachModel(config: ResearcherConfig, env: NodeJS.ProcessEnv): boolean {
	return Boolean(env.ANTHROPIC_API_KEY || env.ANTHROPIC_AUTH_TOKEN || config.anthropic.baseUrl);
}
