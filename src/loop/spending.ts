/** Tokens and money: what each experiment's proposal cost, dropped drafts and repairs included, and when to stop. */

import type { Usage } from "./events.ts";
import { type State, tally } from "./state.ts";

export interface Limits {
	/** Decided experiments, the baseline included. */
	experiments?: number;
	/** Hours since this start. */
	hours?: number;
	/** Tokens of all kinds, over the whole run. */
	tokens?: number;
	/** Money over the whole run, in the currency of the configured prices. */
	cost?: number;
}

export class Spending {
	readonly #byExperiment = new Map<number, Usage>();
	readonly #since = performance.now();

	add(n: number, usage: Usage): void {
		const before = this.#byExperiment.get(n);
		this.#byExperiment.set(n, before ? sum(before, usage) : usage);
	}

	/** What experiment `n` has cost in this process; undefined when nothing did. */
	of(n: number): Usage | undefined {
		return this.#byExperiment.get(n);
	}

	/** Why the run should end now; undefined while every limit holds. */
	exhausted(state: State, limits: Limits): string | undefined {
		const { total } = tally(state);
		if (limits.experiments !== undefined && total >= limits.experiments) return `${total} experiments done`;
		const hours = (performance.now() - this.#since) / 3_600_000;
		if (limits.hours !== undefined && hours >= limits.hours) return `${limits.hours} hours are over`;
		const spent = this.#total(state);
		if (!spent) return undefined;
		const tokens = tokensOf(spent);
		if (limits.tokens !== undefined && tokens >= limits.tokens)
			return `${tokens} tokens spent, of ${limits.tokens} allowed`;
		const cost = spent.cost ?? 0;
		if (limits.cost !== undefined && cost >= limits.cost) return `${cost.toFixed(2)} spent, of ${limits.cost} allowed`;
		return undefined;
	}

	/** All of the run: what the journal has of earlier experiments, and what this process knows better. */
	#total(state: State): Usage | undefined {
		const known = state.experiments.flatMap(({ n, usage }) => (usage && !this.#byExperiment.has(n) ? [usage] : []));
		const all = [...known, ...this.#byExperiment.values()];
		return all.length > 0 ? all.reduce(sum) : undefined;
	}
}

export function tokensOf(usage: Usage): number {
	return usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}

function sum(a: Usage, b: Usage): Usage {
	return {
		inputTokens: a.inputTokens + b.inputTokens,
		outputTokens: a.outputTokens + b.outputTokens,
		cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
		cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
		...(a.cost !== undefined || b.cost !== undefined ? { cost: (a.cost ?? 0) + (b.cost ?? 0) } : {}),
	};
}
