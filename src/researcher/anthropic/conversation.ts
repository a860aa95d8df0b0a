/**
 * One proposal as a conversation: the brief, the model's tool calls and our answers, until it submits. Mistakes are answered
 * inside the conversation, a bounded number of times.
 */

import type { AnthropicConfig } from "../../lab/researcher-config.ts";
import { clean, oneLine } from "../brief/quote.ts";
import { section } from "../brief/templates.ts";
import { submit } from "../check-proposal.ts";
import type { EditBuffer } from "../edit-buffer.ts";
import { type Proposal, type ProposeOptions, Rejection, type SourceFile } from "../researcher.ts";
import {
	type Message,
	type MessageParam,
	type ModelClient,
	type ModelRequest,
	type TextBlockParam,
	type ToolResultBlockParam,
	UnreadableCall,
} from "./client.ts";
import { withBackoff } from "./retry.ts";
import { editSchema, runTool, toolDefinitions, type Workbench } from "./tools.ts";

/** The conversation led nowhere; another one may. */
export class GivenUp extends Error {
	override readonly name = "GivenUp";
}

export interface Opening {
	system: TextBlockParam[];
	/** The first message. */
	brief: TextBlockParam[];
}

/** The screen need not see more often than this how an answer grows. */
const DRAFT_INTERVAL_MS = 100;
/** What of an answer's text is shown while it is written. */
const SHOWN_CHARACTERS = 2000;
/** What a notice quotes of the model's words. */
const QUOTED = 300;

/**
 * Resolves to the proposal, or to undefined when the model gave up a crash. Rejects with GivenUp after too many mistakes
 * or turns, and with the signal's reason when it is aborted.
 */
export async function converse(
	client: ModelClient,
	config: AnthropicConfig,
	opening: Opening,
	workbench: Workbench,
	options: ProposeOptions,
): Promise<Proposal | undefined> {
	const messages: MessageParam[] = [{ role: "user", content: opening.brief }];
	const tools = toolDefinitions();
	let mistakes = 0;
	const mistake = (what: string) => {
		mistakes++;
		if (mistakes > config.maxMistakes)
			throw new GivenUp(`after ${mistakes} mistakes, the last: ${oneLine(what, QUOTED)}`);
	};
	const say = (text: string) => appendToLast(messages, { type: "text", text });

	for (let turn = 1; turn <= config.maxTurns; turn++) {
		if (turn === config.maxTurns && turn > 1) say(section("answers", "hurry"));
		const request = { system: opening.system, tools, messages: withBreakpoint(messages) };
		const answer = await ask(client, config, request, workbench, options).catch((error) => {
			if (!(error instanceof UnreadableCall)) throw error;
		});
		if (!answer) {
			mistake("a tool was called with something that is no JSON");
			say(section("answers", "no JSON"));
			continue;
		}
		const reason = answer.stop_reason;
		if (reason === "max_tokens") {
			mistake("an answer was cut off at its limit");
			say(section("answers", "cut off"));
			continue;
		}
		if (reason === "refusal") {
			const why = answer.stop_details?.explanation;
			mistake(`the model declined to answer${why ? ` (${why})` : ""}`);
			say(section("answers", "refused"));
			continue;
		}
		if (reason === "model_context_window_exceeded") throw new GivenUp("the conversation outgrew the model's context");
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
					// It was written before the model could know: the file is not what its title says.
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
	throw new GivenUp(`it had not submitted after ${config.maxTurns} answers`);
}

async function ask(
	client: ModelClient,
	config: AnthropicConfig,
	request: ModelRequest,
	{ buffer }: Workbench,
	{ signal, onDraft, onWait, onUsage }: ProposeOptions,
): Promise<Message> {
	let shownAt = 0;
	let text = "";
	const shown = () => clean(text.slice(-SHOWN_CHARACTERS));
	const show = () => onDraft({ text: shown(), files: buffer.files });
	const seldom = (show: () => void) => {
		if (performance.now() - shownAt < DRAFT_INTERVAL_MS) return;
		shownAt = performance.now();
		show();
	};
	const attempt = () =>
		client.ask(request, signal, {
			onText(all) {
				text = all;
				seldom(show);
			},
			onToolInput: (input) => seldom(() => onDraft({ text: shown(), ...glimpse(input, buffer) })),
			onUsage,
		});
	const answer = await withBackoff(attempt, { ...config, signal, onWait });
	if (text) show();
	return answer;
}

/** What a tool call that is still being written lets see of the proposal. */
function glimpse(input: unknown, buffer: EditBuffer): { files: SourceFile[]; title?: string } {
	const edit = editSchema.safeParse(input);
	const files = edit.success ? buffer.preview(edit.data.path, edit.data.old, edit.data.new) : undefined;
	const { title } = (input ?? {}) as { title?: unknown };
	return { files: files ?? buffer.files, ...(typeof title === "string" && { title: oneLine(title, QUOTED) }) };
}

/** An answer as it may be sent back: a tool call whose input was no object would make the next request invalid. */
function sendable({ content }: Message): MessageParam["content"] {
	return content.map((block) => {
		if (block.type !== "tool_use") return block;
		const { type, id, name, input } = block;
		return { type, id, name, input: typeof input === "object" && input !== null ? input : {} };
	}) as MessageParam["content"];
}

/** Adds to what was said last, or says it when the model spoke last. */
function appendToLast(messages: MessageParam[], block: TextBlockParam): void {
	const last = messages.at(-1)!;
	if (last.role === "user") messages.pop();
	const said = last.role === "user" ? blocksOf(last) : [];
	messages.push({ role: "user", content: [...said, block] });
}

/** Marks the end of the conversation so far for caching: the next turn reads it at a tenth of the price. */
function withBreakpoint(messages: readonly MessageParam[]): MessageParam[] {
	const last = messages.at(-1)!;
	if (messages.length < 2 || last.role !== "user") return [...messages];
	const blocks = blocksOf(last);
	const marked = { ...blocks.at(-1)!, cache_control: { type: "ephemeral" } } as TextBlockParam | ToolResultBlockParam;
	return [...messages.slice(0, -1), { role: "user", content: [...blocks.slice(0, -1), marked] }];
}

/** The blocks of a message of ours: we only send text and tool results. */
function blocksOf({ content }: MessageParam): (TextBlockParam | ToolResultBlockParam)[] {
	return content as (TextBlockParam | ToolResultBlockParam)[];
}
