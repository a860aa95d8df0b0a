/**
 * The metric, as arithmetic: bits per byte (karpathy/nanochat `evaluate_bpb`). Unlike the loss it does not depend on
 * the vocabulary: nats are summed over the predicted tokens, bytes over the text those tokens stand for. A target that
 * stands for no bytes (BOS and the other reserved tokens) counts in neither sum.
 */
export interface BitsPerByte {
	/** NaN when no bytes were covered. */
	value: number;
	/** Predictions made, reserved targets included. */
	tokens: number;
	/** Bytes of UTF-8 the counted targets stand for. */
	bytes: number;
}

export class BitsPerByteSum {
	readonly #tokenBytes: Uint16Array;
	#nats = 0;
	#bytes = 0;
	#tokens = 0;

	/** @param tokenBytes bytes of each token id, 0 for reserved ones */
	constructor(tokenBytes: Uint16Array) {
		this.#tokenBytes = tokenBytes;
	}

	/**
	 * @param losses nats of each prediction
	 * @param targets the token ids predicted, as many
	 */
	add(losses: Float32Array, targets: Int32Array): void {
		if (losses.length !== targets.length)
			throw new RangeError(`bits per byte: ${losses.length} losses for ${targets.length} targets`);
		for (const [i, target] of targets.entries()) {
			const bytes = this.#tokenBytes[target]!;
			this.#tokens++;
			if (bytes === 0) continue;
			this.#nats += losses[i]!;
			this.#bytes += bytes;
		}
	}

	get result(): BitsPerByte {
		return { value: this.#nats / (Math.LN2 * this.#bytes), tokens: this.#tokens, bytes: this.#bytes };
	}
}
