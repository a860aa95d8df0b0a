/**
 * One proposal as a conversation: the brief, the model's tool calls and their results, until the model submits. A
 * mistake is answered inside the conversation, up to a number of them.
 */

import type { AnthropicConfig } from "../../lab/researcher-config.ts";
import { oneLine } from "../../text.ts";
import { clean } from "../brief/quote.ts";
import { section } from "../brief/templates.ts";
import { submit } from "../check-proposal.ts";
import type { EditBuffer } from "../edit-buffer.ts";
import { type Proposal, type ProposeOptions, Rejection, type SourceFile } from "../researcher.ts";
import {
	type MessageParam,
	type ModelAnswer,
	type ModelClient,
	type ModelRequest,
	type TextBlockParam,
	type ToolResultBlockParam,
	UnreadableCall,
} from "./client.ts";
import { withBackoff } from "./retry.ts";
import { editSchema, runTool, toolDefinitions, type Workbench } from "./tools.ts";

/** The conversation ended without a proposal; another one may end with one. The message continues "was given up". */
export class GivenUp extends Error {
	override readonly name = "GivenUp";
}

export interface ConversationStart {
	system: TextBlockParam[];
	/** The first message. */
	brief: TextBlockParam[];
}

/** The least time between two updates of the screen while an answer is streamed. */
const DRAFT_INTERVAL_MS = 100;
/** The end of an answer's text that is shown while it is streamed, in characters. */
const SHOWN_CHARACTERS = 2000;
/** What messages quote of the model's text, in characters. */
const QUOTED = 300;

/**
 * Resolves to the proposal, or to undefined when the model gave up a crash. Rejects with GivenUp after too many
 * mistakes or turns, and with the signal's reason when it is aborted.
 */
export async function converse(
	client: ModelClient,
	config: AnthropicConfig,
	start: ConversationStart,
	workbench: Workbench,
	options: ProposeOptions,
): Promise<Proposal | undefined> {
	const messages: MessageParam[] = [{ role: "user", content: start.brief }];
	const tools = toolDefinitions();
	let mistakes = 0;
	const mistake = (what: string) => {
		mistakes++;
		if (mistakes > config.maxMistakes)
			throw new GivenUp(`after ${mistakes} mistakes, the last: ${oneLine(what, QUOTED)}`);
	};
	const tell = (text: string) => appendToLast(messages, { type: "text", text });

	for (let turn = 1; turn <= config.maxTurns; turn++) {
		if (turn === config.maxTurns && turn > 1) tell(section("answers", "hurry"));
		const request = { system: start.system, tools, messages: withBreakpoint(messages) };
		const answer = await ask(client, config, request, workbench, options).catch((error) => {
			if (!(error instanceof UnreadableCall)) throw error;
		});
		if (!answer) {
			mistake("a tool was called with input that is not valid JSON");
			tell(section("answers", "no JSON"));
			continue;
		}
		const reason = answer.stop_reason;
		if (reason === "max_tokens") {
			mistake("an answer was cut off at its limit");
			tell(section("answers", "cut off"));
			continue;
		}
		if (reason === "refusal") {
			const why = answer.stop_details?.explanation;
			mistake(`the model declined to answer${why ? ` (${why})` : ""}`);
			tell(section("answers", "refused"));
			continue;
		}
		if (reason === "model_context_window_exceeded")
			throw new GivenUp("because the conversation outgrew the model's context");
		if (answer.content.length > 0) messages.push({ role: "assistant", content: sendable(answer) });
		if (reason === "pause_turn") continue;

		const calls = answer.content.filter((block) => block.type === "tool_use");
		if (calls.length === 0) {
			mistake("it answered without submitting");
			messages.push({ role: "user", content: [{ type: "text", text: section("answers", "not submitted") }] });
			continue;
		}
		const results: ToolResultBlockParam[] = [];
		for (const { id, name, input } of calls) {
			const reply = (content: string, is_error?: true) =>
				results.push({ type: "tool_result", tool_use_id: id, content, is_error });
			try {
				const result = await runTool(name, input, workbench);
				if (typeof result === "string") {
					reply(result);
				} else if (result.type === "give-up") {
					const why = oneLine(result.reason, QUOTED);
					options.onNotice("info", `experiment ${workbench.brief.n} is not repaired: ${why}`);
					return undefined;
				} else if (results.some((earlier) => earlier.is_error)) {
					// The model wrote this before it knew of the error, so the file is not what the title says.
					reply(section("answers", "submitted too soon"), true);
				} else {
					const proposal = await submit(workbench.brief, workbench.buffer, result, workbench.evidence);
					return { ...proposal, expectedGain: result.expectedGain };
				}
			} catch (error) {
				if (!(error instanceof Rejection)) throw error;
				mistake(error.message);
				reply(error.message, true);
			}
		}
		messages.push({ role: "user", content: results });
		options.onDraft({ files: workbench.buffer.files });
	}
	throw new GivenUp(`because nothing was submitted in ${config.maxTurns} answers`);
}

async function ask(
	client: ModelClient,
	config: AnthropicConfig,
	request: ModelRequest,
	{ buffer }: Workbench,
	{ signal, onDraft, onWait, onUsage }: ProposeOptions,
): Promise<ModelAnswer> {
	let shownAt = 0;
	let text = "";
	const shown = () => clean(text.slice(-SHOWN_CHARACTERS));
	const show = () => onDraft({ text: shown(), files: buffer.files });
	const throttled = (show: () => void) => {
		if (performance.now() - shownAt < DRAFT_INTERVAL_MS) return;
		shownAt = performance.now();
		show();
	};
	const attempt = () =>
		client.ask(request, signal, {
			onText(all) {
				text = all;
				throttled(show);
			},
			onToolInput: (input) => throttled(() => onDraft({ text: shown(), ...previewOf(input, buffer) })),
			onUsage,
		});
	const answer = await withBackoff(attempt, { ...config, signal, onWait });
	if (text) show();
	return answer;
}

/** The proposal as far as a tool call that is still being streamed shows it. */
function previewOf(input: unknown, buffer: EditBuffer): { files: SourceFile[]; title?: string } {
	const edit = editSchema.safeParse(input);
	const files = edit.success ? buffer.preview(edit.data.path, edit.data.old, edit.data.new) : undefined;
	const { title } = (input ?? {}) as { title?: unknown };
	return { files: files ?? buffer.files, ...(typeof title === "string" && { title: oneLine(title, QUOTED) }) };
}

/** An answer as it may be sent back: a tool call whose input is not an object would make the next request invalid. */
function sendable({ content }: ModelAnswer): MessageParam["content"] {
	return content.map((block) => {
		if (block.type !== "tool_use") return block;
		const { type, id, name, input } = block;
		return { type, id, name, input: typeof input === "object" && input !== null ? input : {} };
	}) as MessageParam["content"];
}

/** Adds a block to the last message, or as a new one where the last is the model's. */
function appendToLast(messages: MessageParam[], block: TextBlockParam): void {
	const last = messages.at(-1)!;
	if (last.role === "user") messages.pop();
	const blocks = last.role === "user" ? blocksOf(last) : [];
	messages.push({ role: "user", content: [...blocks, block] });
}

/** Puts a cache breakpoint at the end of the conversation so far, which the next turn then reads from the cache. */
function withBreakpoint(messages: readonly MessageParam[]): MessageParam[] {
	const last = messages.at(-1)!;
	if (messages.length < 2 || last.role !== "user") return [...messages];
	const blocks = blocksOf(last);
	const marked = { ...blocks.at(-1)!, cache_control: { type: "ephemeral" } } as TextBlockParam | ToolResultBlockParam;
	return [...messages.slice(0, -1), { role: "user", content: [...blocks.slice(0, -1), marked] }];
}

/** The blocks of a message with the role `user`, which here are text and tool results only. */
function blocksOf({ content }: MessageParam): (TextBlockParam | ToolResultBlockParam)[] {
	return content as (TextBlockParam | ToolResultBlockParam)[];
}
