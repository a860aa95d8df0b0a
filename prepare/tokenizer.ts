/**
 * The tokenizer: our tokens (bpe.ts), tiktoken's encoder. Ids 0..N-1 are byte strings in the order they were learned,
 * the reserved tokens come last. Reserved tokens are never produced from text.
 */
import { Tiktoken } from "tiktoken/lite";
import { RESERVED_TOKENS, SPLIT_PATTERN } from "./constants.ts";

/** tokenizer.json in a prepared dataset. */
export interface TokenizerFile {
	pattern: string;
	reserved: string[];
	/** Base64 of each token's bytes, in the order of their ids. */
	tokens: string[];
}

export function tokenizerFile(tokens: Uint8Array[]): TokenizerFile {
	return {
		pattern: SPLIT_PATTERN,
		reserved: [...RESERVED_TOKENS],
		tokens: tokens.map((bytes) => Buffer.from(bytes).toString("base64")),
	};
}

/** Bytes of UTF-8 that each id stands for; 0 for a reserved token, which is what keeps it out of bits per byte. */
export function tokenBytes(file: TokenizerFile): Uint16Array {
	const lengths = new Uint16Array(file.tokens.length + file.reserved.length);
	for (const [id, base64] of file.tokens.entries()) lengths[id] = Buffer.from(base64, "base64").length;
	return lengths;
}

export class Tokenizer {
	readonly vocabSize: number;
	readonly bosId: number;
	readonly #tiktoken: Tiktoken;

	constructor({ pattern, reserved, tokens }: TokenizerFile) {
		this.vocabSize = tokens.length + reserved.length;
		this.bosId = tokens.length;
		const ids = Object.fromEntries(reserved.map((name, i) => [name, tokens.length + i]));
		this.#tiktoken = new Tiktoken(`! 0 ${tokens.join(" ")}`, ids, pattern);
	}

	/** Token ids of a text, without BOS. */
	encode(text: string): Uint32Array {
		return this.#tiktoken.encode_ordinary(text);
	}

	decode(ids: Iterable<number>): string {
		return Buffer.from(this.#tiktoken.decode(Uint32Array.from(ids))).toString("utf8");
	}

	/** Gives back the encoder's memory, which lives outside JavaScript's heap. */
	[Symbol.dispose](): void {
		this.#tiktoken.free();
	}
}
