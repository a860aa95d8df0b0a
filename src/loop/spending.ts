/** Tokens, money and time: what the run has spent, and when it has to end. */
import { tally } from "../journal/state.ts";
import type { Store } from "../journal/store.ts";
import { spent, tokensOf, type Usage } from "../journal/usage.ts";
import { LONGEST_TIMER_MS } from "../subprocess/run-process.ts";

export interface RunLimits {
	/** Decided experiments, the baseline included. */
	experiments?: number;
	/** Hours since this start. */
	hours?: number;
	/** Tokens of all kinds, over the whole run. */
	tokens?: number;
	/** Money over the whole run, in the currency of the configured prices. */
	cost?: number;
}

/** What was under way ends because the run has reached a limit; the message says which. */
export class LimitReached extends Error {
	override name = "LimitReached";
}

export class Spending {
	readonly #store: Store;
	readonly #limits: RunLimits;
	readonly #since = performance.now();
	readonly #end = new AbortController();
	#timer?: NodeJS.Timeout;

	constructor(store: Store, limits: RunLimits) {
		this.#store = store;
		this.#limits = limits;
	}

	/**
	 * Aborted with a LimitReached when a limit is reached: what costs or only waits ends then, a training run does not.
	 */
	get signal(): AbortSignal {
		return this.#end.signal;
	}

	/** Watches the clock until `close`. */
	watch(): void {
		const { hours } = this.#limits;
		if (hours === undefined) return;
		const left = Math.max(hours * 3_600_000 - this.#elapsedMs, 0);
		this.#timer = setTimeout(
			() => {
				this.#check();
				if (!this.signal.aborted) this.watch();
			},
			Math.min(left, LONGEST_TIMER_MS),
		);
	}

	close(): void {
		clearTimeout(this.#timer);
	}

	/** Records what a request for experiment `n` cost. */
	async add(n: number, usage: Usage): Promise<void> {
		await this.#store.emit({ type: "experiment.spent", n, usage });
		this.#check();
	}

	/** Why the run should end now; undefined while every limit holds. */
	get exhausted(): string | undefined {
		const { state } = this.#store;
		const { experiments, hours, tokens, cost } = this.#limits;
		const { total } = tally(state);
		if (experiments !== undefined && total >= experiments) return `${total} experiments done`;
		if (hours !== undefined && this.#elapsedMs >= hours * 3_600_000) return `${hours} hours are over`;
		const usage = spent(state);
		if (!usage) return undefined;
		const used = tokensOf(usage);
		if (tokens !== undefined && used >= tokens) return `${used} tokens spent, of ${tokens} allowed`;
		const { cost: paid = 0 } = usage;
		if (cost !== undefined && paid >= cost) return `${paid.toFixed(2)} spent, of ${cost} allowed`;
		return undefined;
	}

	/** Whether another experiment may follow the one in flight. */
	get allowsAnother(): boolean {
		const { experiments = Number.POSITIVE_INFINITY } = this.#limits;
		return !this.exhausted && tally(this.#store.state).total + 1 < experiments;
	}

	get #elapsedMs(): number {
		return performance.now() - this.#since;
	}

	#check(): void {
		const reason = this.exhausted;
		if (reason) this.#end.abort(new LimitReached(reason));
	}
}
