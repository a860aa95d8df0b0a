/**
 * The researcher that asks a language model through the Messages API, with tools to read the lab, edit the training
 * file and look into past experiments. Every proposal is a conversation of its own, so that two can be written at the
 * same time.
 */

import type { AnthropicConfig } from "../../lab/researcher-config.ts";
import { joinBrief, type RenderedBrief, renderBrief, renderRepair } from "../brief/render.ts";
import { EditBuffer } from "../edit-buffer.ts";
import {
	type Brief,
	type CrashReport,
	MAX_REPAIRS,
	type Proposal,
	type ProposeOptions,
	type Researcher,
} from "../researcher.ts";
import { ModelClient, type TextBlockParam } from "./client.ts";
import { type ConversationStart, converse, GivenUp } from "./conversation.ts";
import { toolDefinitions } from "./tools.ts";

/** Conversations for one proposal: one that led nowhere is followed by another. */
const CONVERSATIONS = 2;

/** @param env where the API's key is */
export function createAnthropic(config: AnthropicConfig, env: NodeJS.ProcessEnv): Researcher {
	const client = new ModelClient(config, env);
	return {
		name: "anthropic",
		plansItself: false,
		isInstant: false,
		model: config.model,
		counts: config.prices ? "cost" : "tokens",
		check: (signal) => client.check(signal),

		async propose(brief, options) {
			const start = startOf(await renderBrief(brief, "tools", options.evidence));
			for (let conversation = 1; ; conversation++) {
				const buffer = new EditBuffer(brief);
				try {
					const workbench = { brief, buffer, evidence: options.evidence, repairing: false };
					return (await converse(client, config, start, workbench, options)) as Proposal;
				} catch (error) {
					if (!(error instanceof GivenUp)) throw error;
					if (conversation === CONVERSATIONS)
						throw new Error(`the proposal was given up ${withoutStop(error.message)}`);
					options.onNotice("warn", `A proposal was given up ${withoutStop(error.message)}. Asking again.`);
				}
			}
		},

		async repair(brief: Brief, crash: CrashReport, options: ProposeOptions) {
			if (crash.attempt > MAX_REPAIRS) return undefined;
			const start = startOf(await renderRepair(brief, crash, MAX_REPAIRS, "tools", options.evidence));
			const buffer = new EditBuffer(brief, crash.proposal.files);
			try {
				const workbench = { brief, buffer, evidence: options.evidence, repairing: true };
				return await converse(client, config, start, workbench, options);
			} catch (error) {
				if (!(error instanceof GivenUp)) throw error;
				options.onNotice("warn", `A repair was given up ${withoutStop(error.message)}.`);
				return undefined;
			}
		},

		async show(brief, evidence) {
			const rendered = await renderBrief(brief, "tools", evidence);
			const tools = toolDefinitions().map(
				({ name, description, input_schema }) => `${name}\n${description}\n${JSON.stringify(input_schema)}`,
			);
			return [JSON.stringify(client.parameters), ...tools, joinBrief(rendered)].join("\n\n");
		},
	};
}

/**
 * The parts in the order of how seldom they change, each with a cache breakpoint. What stays for the whole run and
 * what stays until the next keep are cached for an hour, since experiments are more than five minutes apart; the rest
 * is read again only by the turns of this conversation.
 */
function startOf({ role, reference, steady, current }: RenderedBrief): ConversationStart {
	const text = (content: string, ttl?: "5m" | "1h"): TextBlockParam => ({
		type: "text",
		text: content,
		...(ttl && { cache_control: { type: "ephemeral", ttl } }),
	});
	return {
		system: reference ? [text(role), text(reference, "1h")] : [text(role, "1h")],
		brief: [text(steady, "1h"), text(current, "5m")],
	};
}

function withoutStop(sentence: string): string {
	return sentence.replace(/\.+$/, "");
}
