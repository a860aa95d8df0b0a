/** The tokenizer on disk. Separate from the encoder, which is slow to load and not needed to count bytes. */
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
