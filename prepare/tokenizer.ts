/**
 * The tokenizer: our tokens (bpe.ts), tiktoken's encoder. Ids 0..N-1 are byte strings in the order they were learned,
 * the reserved tokens come last. Reserved tokens are never produced from text.
 */
import { Tiktoken } from "tiktoken/lite";
import type { TokenizerFile } from "./tokenizer-file.ts";

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
