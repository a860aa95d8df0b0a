/**
 * The researchers' settings: the `researcher` section of the lab file, overruled by the environment, overruled by flags. Keys
 * of an API are read from the environment only, so that no lab file holds one.
 */
import { z } from "zod";
import { UserError } from "../errors.ts";

/** Money for a million tokens, in any currency. */
const pricesSchema = z.strictObject({
	input: z.number().nonnegative(),
	output: z.number().nonnegative(),
	cacheRead: z.number().nonnegative().optional(),
	cacheWrite: z.number().nonnegative().optional(),
});
export type Prices = z.output<typeof pricesSchema>;

const EFFORTS = ["low", "medium", "high", "xhigh", "max"] as const;

export const anthropicSchema = z.strictObject({
	model: z.string().min(1).default("claude-opus-5-5"),
	/** How much the model thinks and writes; the model's own default unless given. */
	effort: z.enum(EFFORTS).optional(),
	/** Thinking before answering; on unless a base URL points to a server of someone else's, which may not know it. */
	thinking: z.boolean().optional(),
	/** Another server that speaks the Messages API (Ollama, vLLM, LM Studio, a gateway). */
	baseUrl: z.url().optional(),
	/** The longest single answer, in tokens. */
	maxAnswerTokens: z.int().min(256).default(32_000),
	/** The most requests one proposal may take. */
	maxTurns: z.int().min(1).default(40),
	/** How many mistakes (an edit that does not apply, a refusal, a repeat) one proposal may take. */
	maxMistakes: z.int().min(0).default(6),
	/** An answer that sends nothing for this long is given up and asked for again. */
	stallSeconds: z.number().positive().default(180),
	/** So is one that takes longer than this altogether. */
	answerSeconds: z.number().positive().default(1200),
	/** The first wait after an outage; doubled each time up to the longest. */
	firstWaitSeconds: z.number().positive().default(2),
	longestWaitSeconds: z.number().positive().default(300),
	prices: pricesSchema.optional(),
});
export type AnthropicConfig = z.output<typeof anthropicSchema>;

export const commandSchema = z.strictObject({
	/**
	 * The program and its arguments, run in a checkout of the lab. The brief comes on its standard input, or, where an argument
	 * holds `{brief-file}`, in a file of that name. An argument `{files}` stands for the editable files.
	 */
	command: z.array(z.string().min(1)).min(1),
	timeoutSeconds: z.number().positive().default(900),
	/** Set on top of the console's own environment. */
	env: z.record(z.string(), z.string()).default({}),
});
export type CommandConfig = z.output<typeof commandSchema>;

export const researcherSchema = z.strictObject({
	/** The researcher to use when no flag names one. */
	name: z.string().min(1).optional(),
	/** Who works on while the researcher waits out an outage, or fails. */
	fallback: z.literal("search").optional(),
	anthropic: anthropicSchema.prefault({}),
	command: commandSchema.optional(),
});
export type ResearcherConfig = z.output<typeof researcherSchema>;

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
