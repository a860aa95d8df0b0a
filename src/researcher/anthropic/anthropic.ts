/**
 * The researcher that asks a language model through the Messages API, with tools to read the lab, edit the training file and
 * look into past experiments. Every proposal is a conversation of its own, so that proposals can be drafted side by side.
 */

import type { AnthropicConfig } from "../../lab/researcher-config.ts";
import { joinBrief, type RenderedBrief, renderBrief, renderRepair } from "../brief/render.ts";
import { EditBuffer } from "../edit-buffer.ts";
import {
	type Brief,
	type Crash,
	MAX_REPAIRS,
	type Proposal,
	type ProposeOptions,
	type Researcher,
} from "../researcher.ts";
import { ModelClient, type TextBlockParam } from "./client.ts";
import { converse, GivenUp, type Opening } from "./conversation.ts";
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
			const opening = openingOf(await renderBrief(brief, "tools", options.evidence));
			for (let conversation = 1; ; conversation++) {
				const buffer = new EditBuffer(brief);
				try {
					const workbench = { brief, buffer, evidence: options.evidence, repairing: false };
					return (await converse(client, config, opening, workbench, options)) as Proposal;
				} catch (error) {
					if (!(error instanceof GivenUp)) throw error;
					if (conversation === CONVERSATIONS) throw new Error(`The proposal was given up: ${error.message}`);
					options.onNotice("warn", `A proposal was given up ${error.message}. Asking afresh.`);
				}
			}
		},

		async repair(brief: Brief, crash: Crash, options: ProposeOptions) {
			if (crash.attempt > MAX_REPAIRS) return undefined;
			const opening = openingOf(await renderRepair(brief, crash, MAX_REPAIRS, "tools", options.evidence));
			const buffer = new EditBuffer(brief, crash.proposal.files);
			try {
				const workbench = { brief, buffer, evidence: options.evidence, repairing: true };
				return await converse(client, config, opening, workbench, options);
			} catch (error) {
				if (!(error instanceof GivenUp)) throw error;
				options.onNotice("warn", `A repair was given up ${error.message}.`);
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
 * Cache breakpoints, slowest part first: what stays for the night and what stays until the next keep are worth an hour, since
 * an experiment takes longer than five minutes; the rest only serves the turns of this conversation.
 */
function openingOf({ role, reference, steady, current }: RenderedBrief): Opening {
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
