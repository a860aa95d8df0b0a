/**
 * The one file that knows the SDK of the Messages API: sends a request, watches its stream, counts its tokens, and sorts
 * what can go wrong into outages, which pass, and errors, which a person must mend.
 */
import Anthropic, { AnthropicError, APIConnectionError, APIError, APIUserAbortError } from "@anthropic-ai/sdk";
import type { Usage } from "../../journal/events.ts";
import type { AnthropicConfig, Prices } from "../../lab/researcher-config.ts";
import { oneLine } from "../brief/quote.ts";
import { ResearcherError } from "../researcher.ts";

export type Message = Anthropic.Message;
export type MessageParam = Anthropic.MessageParam;
export type TextBlockParam = Anthropic.TextBlockParam;
export type ToolDefinition = Anthropic.Tool;
export type ToolResultBlockParam = Anthropic.ToolResultBlockParam;

export interface ModelRequest {
	system: TextBlockParam[];
	tools: ToolDefinition[];
	messages: MessageParam[];
}

export interface ModelListener {
	/** The text of the answer so far, thinking included. */
	onText?(text: string): void;
	/** The input of a tool call as far as it has arrived. */
	onToolInput?(input: unknown): void;
	/** Tokens of the answer, of a broken one too. */
	onUsage?(usage: Usage): void;
}

/** The service cannot answer now. Worth waiting for. */
export class Outage extends Error {
	override readonly name = "Outage";
	/** How long the service asked us to wait. */
	readonly retryAfterSeconds: number | undefined;

	constructor(message: string, retryAfterSeconds?: number) {
		super(message);
		this.retryAfterSeconds = retryAfterSeconds;
	}
}

/** The service does not answer this request: a setting it does not take, no credit. */
class Refused extends Error {
	override readonly name = "Refused";
}

/** The model called a tool with something that is no JSON. Another answer may do better. */
export class UnreadableCall extends Error {
	override readonly name = "UnreadableCall";
}

/** What is quoted of an error of a server, in characters. */
const QUOTED = 300;

export class ModelClient {
	readonly #config: AnthropicConfig;
	readonly #client: Anthropic;

	/** @param env where the key is: ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN; not needed with a base URL */
	constructor(config: AnthropicConfig, env: NodeJS.ProcessEnv) {
		this.#config = config;
		const apiKey = env.ANTHROPIC_API_KEY || null;
		const authToken = apiKey ? null : env.ANTHROPIC_AUTH_TOKEN || null;
		const silent = () => {};
		this.#client = new Anthropic({
			apiKey,
			authToken,
			baseURL: config.baseUrl ?? "https://api.anthropic.com",
			// A server of one's own may want no key at all; null leaves the header out.
			defaultHeaders: apiKey || authToken ? {} : { Authorization: null },
			// Waiting is ours: it shows in the console.
			maxRetries: 0,
			timeout: config.answerSeconds * 1000,
			// The SDK's own logger writes to the terminal that the console draws on.
			logger: { error: silent, warn: silent, info: silent, debug: silent },
		});
	}

	/** Fixed parameters of every request, for those who want to see what is sent. */
	get parameters(): Pick<Anthropic.MessageCreateParams, "model" | "max_tokens" | "thinking" | "output_config"> {
		const { model, effort, maxAnswerTokens, thinking, baseUrl } = this.#config;
		return {
			model,
			max_tokens: maxAnswerTokens,
			...((thinking ?? (!baseUrl || isAnthropic(baseUrl))) && {
				thinking: { type: "adaptive", display: "summarized" },
			}),
			...(effort && { output_config: { effort } }),
		};
	}

	/**
	 * Throws a ResearcherError when the key, the model or a setting is refused, or when the server has no Messages API. An
	 * outage is no reason not to start, and neither is an answer that takes longer than the signal allows.
	 */
	async check(signal: AbortSignal): Promise<void> {
		const { baseUrl } = this.#config;
		const messages: MessageParam[] = [{ role: "user", content: "Answer with the word ready." }];
		let answer: Partial<Message> | string;
		try {
			answer = await this.#client.messages.create({ ...this.parameters, max_tokens: 16, messages }, { signal });
		} catch (error) {
			const translated = this.#translate(error, signal);
			if (translated instanceof ResearcherError) throw translated;
			if (translated instanceof Refused) throw new ResearcherError(translated.message);
			if (baseUrl && translated instanceof Outage && /ECONNREFUSED|ENOTFOUND/.test(translated.message)) {
				throw new ResearcherError(`Nothing answers at ${baseUrl}: start the server, or correct the base URL.`);
			}
			return;
		}
		// A web page is given back as its text.
		if (baseUrl && (typeof answer === "string" || !Array.isArray(answer?.content))) {
			throw new ResearcherError(`What answers at ${baseUrl} is no Messages API. ${baseUrlHint(baseUrl)}`);
		}
	}

	/**
	 * One answer. Rejects with an Outage, with an UnreadableCall, with a ResearcherError, with the signal's reason when it is
	 * aborted, or with an Error that says what the service did not like about the request.
	 */
	async ask(request: ModelRequest, signal: AbortSignal, listener: ModelListener = {}): Promise<Message> {
		signal.throwIfAborted();
		const { stallSeconds, answerSeconds } = this.#config;
		const watch = new AbortController();
		let silence = "";
		const giveUp = (reason: string) => () => {
			silence = reason;
			watch.abort();
		};
		const stalled = giveUp(`the answer stood still for ${stallSeconds} s`);
		const stallTimer = setTimeout(stalled, stallSeconds * 1000);
		const limitTimer = setTimeout(giveUp(`the answer took longer than ${answerSeconds} s`), answerSeconds * 1000);
		const client = this.#client.withOptions({ fetch: heardFetch(() => stallTimer.refresh()) });
		const stream = client.messages.stream(
			{ ...this.parameters, ...request },
			{ signal: AbortSignal.any([signal, watch.signal]) },
		);
		let text = "";
		const add = (delta: string) => {
			text += delta;
			listener.onText?.(text);
		};
		stream.on("text", add);
		stream.on("thinking", add);
		if (listener.onToolInput) stream.on("inputJson", (_, snapshot) => listener.onToolInput!(snapshot));
		let received: Message | undefined;
		try {
			received = await stream.finalMessage();
			return received;
		} catch (error) {
			received = stream.currentMessage;
			if (silence && !signal.aborted) throw new Outage(silence);
			if (isUnreadable(received?.content.at(-1))) throw new UnreadableCall();
			throw this.#translate(error, signal);
		} finally {
			clearTimeout(stallTimer);
			clearTimeout(limitTimer);
			if (received?.usage) listener.onUsage?.(countTokens(received.usage, this.#config.prices));
		}
	}

	#translate(error: unknown, signal: AbortSignal): Error {
		if (signal.aborted || error instanceof APIUserAbortError) return abortReason(signal);
		const { model, baseUrl } = this.#config;
		const server = baseUrl ?? "the Messages API";
		if (error instanceof APIConnectionError) return new Outage(`no connection to ${server}${causeOf(error)}`);
		if (error instanceof APIError) {
			const { status, type } = error;
			const said = oneLine(error.apiMessage ?? error.message, QUOTED);
			if (status === 401 || status === 403 || type === "authentication_error" || type === "permission_error") {
				return new ResearcherError(
					`${server} does not accept the key (${said}). Set ANTHROPIC_API_KEY to one that it does.`,
				);
			}
			// A server that knows the Messages API says in its error what it did not find.
			if (baseUrl && status === 404 && (!error.apiMessage || VERSIONED.test(baseUrl))) {
				return new ResearcherError(`${baseUrl} has no Messages API (404). ${baseUrlHint(baseUrl)}`);
			}
			if (status === 404 || type === "not_found_error") {
				return new ResearcherError(`${server} does not know the model ${model} (${said}). Name another with --model.`);
			}
			if (status === 402 || type === "billing_error") {
				return new ResearcherError(`${server} asks for payment (${said}).`);
			}
			const passing = status === undefined || status >= 500 || [408, 409, 429].includes(status);
			if (passing && type !== "invalid_request_error") {
				const answer = status ?? (type ? oneLine(type, QUOTED) : "with an error");
				return new Outage(`${server} answered ${answer}`, retryAfter(error));
			}
			return new Refused(`${server} refused the request: ${said}`);
		}
		// What is left of the SDK's errors is a stream that broke off or made no sense.
		if (error instanceof AnthropicError) return new Outage(`the answer of ${server} broke off`);
		return error instanceof Error ? error : new Error(String(error));
	}
}

/** The SDK adds the version to the base URL itself. */
const VERSIONED = /\/v1\/?$/;

function baseUrlHint(baseUrl: string): string {
	if (VERSIONED.test(baseUrl)) return `Leave /v1 out of the base URL: ${baseUrl.replace(VERSIONED, "")}`;
	return `Correct the base URL: requests go to ${baseUrl.replace(/\/$/, "")}/v1/messages.`;
}

/** `fetch` that tells of each piece of an answer as it arrives: the SDK keeps a server's pings to itself. */
function heardFetch(onHeard: () => void): typeof fetch {
	return async (input, init) => {
		const response = await fetch(input, init);
		onHeard();
		const heard = new TransformStream<Uint8Array, Uint8Array>({
			transform(piece, controller) {
				onHeard();
				controller.enqueue(piece);
			},
		});
		return new Response(response.body?.pipeThrough(heard), response);
	};
}

/** A tool call whose input is no JSON. The SDK parses the input when it is read, and throws. */
function isUnreadable(block: Anthropic.ContentBlock | undefined): boolean {
	if (block?.type !== "tool_use") return false;
	try {
		return block.input === undefined;
	} catch {
		return true;
	}
}

function isAnthropic(url: string): boolean {
	return /(^|\.)anthropic\.com$/.test(new URL(url).hostname);
}

function abortReason(signal: AbortSignal): Error {
	return signal.reason instanceof Error ? signal.reason : new Error("the request was aborted");
}

function causeOf(error: Error): string {
	const cause = error.cause instanceof Error ? error.cause : undefined;
	const inner = cause?.cause instanceof Error ? cause.cause : cause;
	const code = (inner as NodeJS.ErrnoException | undefined)?.code;
	return code ? ` (${code})` : "";
}

/** The `retry-after` header: seconds, or a date. */
function retryAfter({ headers }: APIError): number | undefined {
	const value = headers?.get("retry-after");
	if (!value) return undefined;
	const seconds = Number.isNaN(Number(value)) ? (Date.parse(value) - Date.now()) / 1000 : Number(value);
	return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

const MILLION = 1_000_000;

/** The tokens of an answer, and their price. Cached tokens cost what input costs unless prices say otherwise. */
export function countTokens(usage: Partial<Anthropic.Usage>, prices?: Prices): Usage {
	const tokens = {
		inputTokens: usage.input_tokens ?? 0,
		outputTokens: usage.output_tokens ?? 0,
		cacheReadTokens: usage.cache_read_input_tokens ?? 0,
		cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
	};
	if (!prices) return tokens;
	const { input, output, cacheRead = input, cacheWrite = input } = prices;
	const cost =
		(tokens.inputTokens * input +
			tokens.outputTokens * output +
			tokens.cacheReadTokens * cacheRead +
			tokens.cacheWriteTokens * cacheWrite) /
		MILLION;
	return { ...tokens, cost };
}
