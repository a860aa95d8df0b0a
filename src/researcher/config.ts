/** The researchers' settings in force: the lab file's, overruled by the environment, overruled by flags. */
import { UserError } from "../errors.ts";
import { anthropicSchema, type ResearcherConfig, researcherSchema } from "../lab/researcher-config.ts";
import { STAND_IN } from "./names.ts";

/** What flags may set. */
export interface ResearcherFlags {
	name?: string;
	model?: string;
	effort?: string;
	baseUrl?: string;
	fallback?: string;
}

/** The settings that a researcher may lack: a flag for one is then refused. */
export type Setting = "model" | "effort" | "baseUrl";
export const FLAGS: Record<Setting, string> = { model: "--model", effort: "--effort", baseUrl: "--base-url" };

export interface Settings extends ResearcherConfig {
	/** What flags or AUTORESEARCH_* variables ask of a coding agent, which has defaults of its own. */
	asked?: { model?: string; effort?: string };
	/** The settings that a flag was given for. */
	flagged?: readonly Setting[];
}

/**
 * @param section the lab file's `researcher` section, already validated or absent
 * @throws UserError naming the flag or variable with a wrong value
 */
export function resolveConfig(
	section: ResearcherConfig | undefined,
	env: NodeJS.ProcessEnv,
	flags: ResearcherFlags = {},
): Settings {
	const base = section ?? researcherSchema.parse({});
	const sources: [Setting, string, string | undefined][] = [
		["model", "AUTORESEARCH_MODEL", env.AUTORESEARCH_MODEL],
		["effort", "AUTORESEARCH_EFFORT", env.AUTORESEARCH_EFFORT],
		["baseUrl", "ANTHROPIC_BASE_URL", env.ANTHROPIC_BASE_URL],
	];
	const asked: Partial<Record<Setting, string>> = {};
	for (const [setting, variable, fromEnv] of sources) {
		const value = flags[setting] ?? fromEnv;
		if (!value) continue;
		const checked = anthropicSchema.safeParse({ ...base.anthropic, [setting]: value });
		if (!checked.success) {
			const named = flags[setting] ? FLAGS[setting] : variable;
			throw new UserError(`${named} ${value}: ${checked.error.issues[0]!.message}`);
		}
		asked[setting] = value;
	}
	const fallback = flags.fallback === undefined ? base.fallback : STAND_IN;
	if (flags.fallback !== undefined && flags.fallback !== fallback) {
		throw new UserError(`--fallback ${flags.fallback}: only "${STAND_IN}" can stand in`);
	}
	return {
		...base,
		name: flags.name ?? env.AUTORESEARCH_RESEARCHER ?? base.name,
		fallback,
		anthropic: anthropicSchema.parse({ ...base.anthropic, ...asked }),
		asked: { model: asked.model, effort: asked.effort },
		flagged: sources.map(([setting]) => setting).filter((setting) => flags[setting]),
	};
}

/** Whether the environment or the settings give the Messages API a chance to answer. */
export function canReachModel(config: ResearcherConfig, env: NodeJS.ProcessEnv): boolean {
	return Boolean(env.ANTHROPIC_API_KEY || env.ANTHROPIC_AUTH_TOKEN || config.anthropic.baseUrl);
}
