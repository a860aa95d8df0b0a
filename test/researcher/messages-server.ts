/**
 * A loopback server that speaks the Messages API, streaming, from a script: one entry a request. What it was asked is
 * kept for the test to look at.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";

export interface Usage {
	input_tokens: number;
	output_tokens: number;
	cache_read_input_tokens?: number;
	cache_creation_input_tokens?: number;
}

export type Block =
	| { type: "text"; text: string }
	| { type: "thinking"; thinking: string; signature: string }
	| { type: "tool_use"; id: string; name: string; input: unknown };

/** A whole answer, sent as a well-formed stream. */
export interface Answer {
	content: Block[];
	stop_reason?: string;
	stop_details?: { type: "refusal"; category: string | null; explanation: string | null };
	usage?: Usage;
	/** Ends the connection after this many events. */
	cutAfter?: number;
	/** Ends the response in an orderly way after this many events. */
	endAfter?: number;
	/** Sends nothing but so many pings at first, as a server does that thinks for long. */
	pings?: { count: number; everyMs: number };
	/** Waits this long between events. */
	dripMs?: number;
	/** Called after so many events were sent, before the rest. */
	pauseAfter?: { events: number; until: () => Promise<unknown> };
}

/** An answer that is no stream. */
export interface Failure {
	status: number;
	headers?: Record<string, string>;
	body: string;
}

export type Reply = Answer | Failure | ((request: MessagesRequest) => Answer | Failure);

export interface MessagesRequest {
	path: string;
	headers: Record<string, string | string[] | undefined>;
	body: {
		model: string;
		stream?: boolean;
		system?: { type: string; text: string; cache_control?: unknown }[];
		tools?: { name: string; description: string; input_schema: unknown }[];
		messages: { role: string; content: unknown }[];
		[key: string]: unknown;
	};
}

export interface MessagesServer extends AsyncDisposable {
	url: string;
	requests: MessagesRequest[];
	/** Replies not used yet. */
	left(): number;
}

let calls = 0;
export function call(name: string, input: unknown): Block {
	return { type: "tool_use", id: `toolu_${++calls}`, name, input };
}

export function failure(status: number, type: string, message: string, headers: Record<string, string> = {}): Failure {
	return { status, headers, body: JSON.stringify({ type: "error", error: { type, message } }) };
}

export async function serveMessages(...replies: Reply[]): Promise<MessagesServer> {
	const requests: MessagesRequest[] = [];
	const left = [...replies];
	const server = createServer(async (incoming, response) => {
		const request = { path: incoming.url!, headers: incoming.headers, body: JSON.parse(await readBody(incoming)) };
		requests.push(request);
		const scripted =
			left.shift() ?? failure(400, "invalid_request_error", "the script of this test has no more replies");
		const reply = typeof scripted === "function" ? scripted(request) : scripted;
		if ("status" in reply) {
			response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
			response.end(reply.body);
		} else if (request.body.stream) {
			await stream(response, reply, request.body.model);
		} else {
			await reply.pauseAfter?.until();
			response.writeHead(200, { "content-type": "application/json" });
			response.end(JSON.stringify(message(reply, request.body.model, reply.content)));
		}
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		requests,
		left: () => left.length,
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

async function readBody(incoming: IncomingMessage): Promise<string> {
	let text = "";
	for await (const chunk of incoming) text += chunk;
	return text;
}

function message({ usage, stop_reason, stop_details }: Answer, model: string, content: Block[]) {
	return {
		id: "msg_1",
		type: "message",
		role: "assistant",
		model,
		content,
		stop_reason: stop_reason ?? (content.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn"),
		stop_sequence: null,
		stop_details: stop_details ?? null,
		usage: usage ?? { input_tokens: 100, output_tokens: 20 },
	};
}

async function stream(response: ServerResponse, answer: Answer, model: string): Promise<void> {
	response.writeHead(200, { "content-type": "text/event-stream" });
	for (let ping = 0; ping < (answer.pings?.count ?? 0); ping++) {
		response.write('event: ping\ndata: {"type":"ping"}\n\n');
		await setTimeout(answer.pings!.everyMs);
	}
	const events = eventsOf(answer, model);
	for (const [i, event] of events.entries()) {
		if (answer.cutAfter === i) {
			await setTimeout(20); // what was written is on its way
			return void response.destroy();
		}
		if (answer.endAfter === i) break;
		if (answer.pauseAfter?.events === i) await answer.pauseAfter.until();
		if (response.destroyed) return;
		response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
		if (answer.dripMs) await setTimeout(answer.dripMs);
	}
	response.end();
}

function eventsOf(answer: Answer, model: string): { type: string; [key: string]: unknown }[] {
	const whole = message(answer, model, answer.content);
	const { output_tokens, ...input } = whole.usage;
	return [
		{
			type: "message_start",
			message: { ...whole, content: [], stop_reason: null, usage: { ...input, output_tokens: 1 } },
		},
		...answer.content.flatMap((block, index) => [
			{ type: "content_block_start", index, content_block: emptied(block) },
			...deltasOf(block).map((delta) => ({ type: "content_block_delta", index, delta })),
			{ type: "content_block_stop", index },
		]),
		{
			type: "message_delta",
			delta: { stop_reason: whole.stop_reason, stop_sequence: null, stop_details: whole.stop_details },
			usage: { output_tokens },
		},
		{ type: "message_stop" },
	];
}

function emptied(block: Block) {
	if (block.type === "text") return { ...block, text: "" };
	if (block.type === "thinking") return { ...block, thinking: "", signature: "" };
	return { ...block, input: {} };
}

function deltasOf(block: Block): object[] {
	if (block.type === "text") return pieces(block.text).map((text) => ({ type: "text_delta", text }));
	if (block.type === "thinking") {
		const thinking = pieces(block.thinking).map((piece) => ({ type: "thinking_delta", thinking: piece }));
		return [...thinking, { type: "signature_delta", signature: block.signature }];
	}
	const json = typeof block.input === "string" ? block.input : JSON.stringify(block.input);
	return pieces(json).map((partial_json) => ({ type: "input_json_delta", partial_json }));
}

/** Cuts a text where a network would: anywhere. */
function pieces(text: string): string[] {
	return text.match(/[\s\S]{1,17}/g) ?? [];
}
