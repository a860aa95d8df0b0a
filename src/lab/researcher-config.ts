/**
 * The `researcher` section of the lab file. It has no place for an API's key, which is read from the environment only,
 * so that no lab file holds one.
 */
import { z } from "zod";

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
	/** How much the model thinks and writes; the model's default when absent. */
	effort: z.enum(EFFORTS).optional(),
	/**
	 * Adaptive thinking; on by default, except where a base URL names another server, which may not know the parameter.
	 */
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
	/** So is an answer that takes longer than this in all. */
	answerSeconds: z.number().positive().default(1200),
	/** The first wait after an outage; doubled each time up to the longest. */
	firstWaitSeconds: z.number().positive().default(2),
	longestWaitSeconds: z.number().positive().default(300),
	prices: pricesSchema.optional(),
});
export type AnthropicConfig = z.output<typeof anthropicSchema>;

export const commandSchema = z.strictObject({
	/**
	 * The program and its arguments, run in a checkout of the lab. The brief comes on its standard input; where an
	 * argument holds `{brief-file}`, that is replaced by the path of a file with the brief. `{files}` stands for the
	 * editable files.
	 */
	command: z.array(z.string().min(1)).min(1),
	timeoutSeconds: z.number().positive().default(900),
	/** Added to the console's own environment. */
	env: z.record(z.string(), z.string()).default({}),
});
export type CommandConfig = z.output<typeof commandSchema>;

export const researcherSchema = z.strictObject({
	/** The researcher to use when no flag names one. */
	name: z.string().min(1).optional(),
	/** The researcher that proposes while the first one has an outage or fails. */
	fallback: z.literal("search").optional(),
	anthropic: anthropicSchema.prefault({}),
	command: commandSchema.optional(),
});
export type ResearcherConfig = z.output<typeof researcherSchema>;
