/** Tokens and money that asking a researcher has cost. */

/** What requests cost, as far as the researcher counts it. */
export interface Usage {
	inputTokens: number;
	outputTokens: number;
	cacheReadTokens: number;
	cacheWriteTokens: number;
	/** In the currency of the prices the lab configures; absent without prices. */
	cost?: number;
}

export function addUsage(a: Usage | undefined, b: Usage): Usage {
	if (!a) return b;
	return {
		inputTokens: a.inputTokens + b.inputTokens,
		outputTokens: a.outputTokens + b.outputTokens,
		cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
		cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
		...(a.cost !== undefined || b.cost !== undefined ? { cost: (a.cost ?? 0) + (b.cost ?? 0) } : {}),
	};
}

/** All that the run has spent; undefined when nothing is known of it. */
export function spent({
	experiments,
	spentAhead,
}: {
	experiments: readonly { usage?: Usage }[];
	spentAhead?: Usage;
}): Usage | undefined {
	return [...experiments.map(({ usage }) => usage), spentAhead]
		.filter((usage) => usage !== undefined)
		.reduce<Usage | undefined>(addUsage, undefined);
}

/** Tokens of all kinds. */
export function tokensOf(usage: Usage): number {
	return usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}
