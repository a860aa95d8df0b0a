/**
 * The one file that knows the SDK of the Messages API. It sends a request, watches the stream of the answer, counts its
 * tokens, and sorts errors into outages, which pass by themselves, and those that a person must correct.
 */
import Anthropic, { AnthropicError, APIConnectionError, APIError, APIUserAbortError } from "@anthropic-ai/sdk";
import type { Usage } from "../../journal/usage.ts";
import type { AnthropicConfig, Prices } from "../../lab/researcher-config.ts";
import { oneLine } from "../../text.ts";
import { ResearcherError } from "../researcher.ts";

export type ModelAnswer = Anthropic.Message;
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
	/** Tokens of the answer, also of one that broke off. */
	onUsage?(usage: Usage): void;
}

/** The service cannot answer now; a later try may succeed. */
export class Outage extends Error {
	override readonly name = "Outage";
	/** The wait that the service asked for (the `retry-after` header). */
	readonly retryAfterSeconds: number | undefined;

	constructor(message: string, retryAfterSeconds?: number) {
		super(message);
		this.retryAfterSeconds = retryAfterSeconds;
	}
}

/** The service rejects the request itself: a parameter it does not accept, no credit. */
class Refused extends Error {
	override readonly name = "Refused";
}

/** The model called a tool with input that is not valid JSON. Another answer may be valid. */
export class UnreadableCall extends Error {
	override readonly name = "UnreadableCall";
}

/** What messages quote of a server's error, in characters. */
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
			// A local server may take no key at all; null leaves the header out.
			defaultHeaders: apiKey || authToken ? {} : { Authorization: null },
			// retry.ts repeats requests instead, so that the console can show each wait.
			maxRetries: 0,
			timeout: config.answerSeconds * 1000,
			// The SDK's own logger writes to the terminal that the console draws on.
			logger: { error: silent, warn: silent, info: silent, debug: silent },
		});
	}

	/** The parameters that every request has; `--show-brief` prints them. */
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
	 * Asks for one short answer. An outage, or an answer that takes longer than the signal allows, is not an error: the
	 * run may start and wait.
	 * @throws ResearcherError when the key, the model or a setting is refused, and when the server has no Messages API
	 */
	async check(signal: AbortSignal): Promise<void> {
		const { baseUrl } = this.#config;
		const messages: MessageParam[] = [{ role: "user", content: "Answer with the word ready." }];
		let answer: Partial<ModelAnswer> | string;
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
		// The SDK returns a web page as a string.
		if (baseUrl && (typeof answer === "string" || !Array.isArray(answer?.content))) {
			throw new ResearcherError(`What answers at ${baseUrl} is no Messages API. ${baseUrlHint(baseUrl)}`);
		}
	}

	/**
	 * One answer. Rejects with an Outage, with an UnreadableCall, with a ResearcherError, with the signal's reason when
	 * it is aborted, or with an Error that says why the service refused the request.
	 */
	async ask(request: ModelRequest, signal: AbortSignal, listener: ModelListener = {}): Promise<ModelAnswer> {
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
		const client = this.#client.withOptions({ fetch: watchedFetch(() => stallTimer.refresh()) });
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
		let received: ModelAnswer | undefined;
		// The SDK forgets what it has of an answer when the stream ends in its middle without an error.
		stream.on("streamEvent", (_, snapshot) => {
			received = snapshot;
		});
		try {
			received = await stream.finalMessage();
			return received;
		} catch (error) {
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
		if (error instanceof APIConnectionError && /bad port/.test(String(rootOf(error)))) {
			return new ResearcherError(`No request may go to the port of ${server} (fetch blocks it): choose another port.`);
		}
		if (error instanceof APIConnectionError) return new Outage(`no connection to ${server}${causeOf(error)}`);
		if (error instanceof APIError) {
			const { status, type } = error;
			const said = oneLine(error.apiMessage ?? error.message, QUOTED);
			if (status === 401 || status === 403 || type === "authentication_error" || type === "permission_error") {
				return new ResearcherError(
					`${server} does not accept the key (${said}). Set ANTHROPIC_API_KEY to one that it does.`,
				);
			}
			// A server with a Messages API names what it did not find; a 404 without that means there is no such API.
			if (baseUrl && status === 404 && (!error.apiMessage || VERSIONED.test(baseUrl) || NO_ROUTE.test(said))) {
				return new ResearcherError(`${baseUrl} has no Messages API (404). ${baseUrlHint(baseUrl)}`);
			}
			if (status === 404 || type === "not_found_error") {
				return new ResearcherError(`${server} does not know the model ${model} (${said}). Name another with --model.`);
			}
			if (status === 402 || type === "billing_error" || /credit balance/i.test(said)) {
				return new ResearcherError(`${server} asks for payment (${said}).`);
			}
			const passing = status === undefined || status >= 500 || [408, 409, 429].includes(status);
			if (passing && type !== "invalid_request_error") {
				const answer = status ?? (type ? oneLine(type, QUOTED) : "with an error");
				const words = error.apiMessage ? ` (${said})` : "";
				return new Outage(`${server} answered ${answer}${words}`, retryAfter(error));
			}
			return new Refused(`${server} refused the request: ${said}`);
		}
		// The SDK's remaining errors are about a stream that broke off or could not be parsed.
		if (error instanceof AnthropicError)
			return new Outage(`the answer of ${server} broke off (${oneLine(error.message, QUOTED)})`);
		return error instanceof Error ? error : new Error(String(error));
	}
}

/** The SDK adds the version to the base URL itself. */
const VERSIONED = /\/v1\/?$/;
/** A server of another API names the path that it does not have. */
const NO_ROUTE = /\/v1\/messages/;

function baseUrlHint(baseUrl: string): string {
	if (VERSIONED.test(baseUrl)) return `Leave /v1 out of the base URL: ${baseUrl.replace(VERSIONED, "")}`;
	return `Correct the base URL: requests go to ${baseUrl.replace(/\/$/, "")}/v1/messages.`;
}

/** `fetch` that reports each chunk of a response: the SDK does not pass on a server's pings. */
function watchedFetch(onChunk: () => void): typeof fetch {
	return async (input, init) => {
		const response = await fetch(input, init);
		onChunk();
		const watched = new TransformStream<Uint8Array, Uint8Array>({
			transform(piece, controller) {
				onChunk();
				controller.enqueue(piece);
			},
		});
		return new Response(response.body?.pipeThrough(watched), response);
	};
}

/** A tool call whose input is not valid JSON. The SDK parses the input when it is read, and throws then. */
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
	const { code } = rootOf(error) as NodeJS.ErrnoException;
	return code ? ` (${code})` : "";
}

/** The error that the others were made from. */
function rootOf(error: Error): Error {
	return error.cause instanceof Error ? rootOf(error.cause) : error;
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
function countTokens(usage: Partial<Anthropic.Usage>, prices?: Prices): Usage {
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
