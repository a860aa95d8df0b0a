/**
 * What the tests of the Messages API researcher share: a researcher connected to a scripted server, and a good answer.
 */

import { type AnthropicConfig, anthropicSchema } from "../../../src/lab/researcher-config.ts";
import { createAnthropic } from "../../../src/researcher/anthropic/anthropic.ts";
import { briefOf, evidenceOf, listen, TEXT } from "../brief-of.ts";
import { type Answer, call, type MessagesServer, type Reply, serveMessages } from "../messages-server.ts";

const KEY = { ANTHROPIC_API_KEY: "sk-test" };

export function connect(server: MessagesServer, config: Partial<AnthropicConfig> = {}, env: NodeJS.ProcessEnv = KEY) {
	const settings = anthropicSchema.parse({ baseUrl: server.url, firstWaitSeconds: 0.01, ...config });
	return createAnthropic(settings, env);
}

export const raise = { old: "MATRIX_LR = 0.02", new: "MATRIX_LR = 0.03" };
export const submission = {
	title: "Raise MATRIX_LR from 0.02 to 0.03",
	hypothesis: "Few steps fit.",
	expected_gain: 0.002,
};
export const editAndSubmit: Answer = { content: [call("edit_file", raise), call("submit", submission)] };
export const EDITED = TEXT.replace("0.02", "0.03");

/** Asks a researcher that is connected to a server with these replies. */
export async function propose(replies: Reply[], config: Partial<AnthropicConfig> = {}, brief = briefOf()) {
	const server = await serveMessages(...replies);
	const { heard, options } = listen({ evidence: evidenceOf() });
	try {
		return { proposal: await connect(server, config).propose(brief, options), server, heard };
	} finally {
		await server[Symbol.asyncDispose]();
	}
}
