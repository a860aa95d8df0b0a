/** Waits out outages: twice as long each time, as long as the service asks, in sight of the human, for hours if need be. */
import { setTimeout } from "node:timers/promises";
import { Outage } from "./client.ts";

export interface Patience {
	firstWaitSeconds: number;
	longestWaitSeconds: number;
	signal: AbortSignal;
	onWait(reason: string, until: number): void;
}

/** A service that asks for more than this is asked again sooner. */
const LONGEST_REQUESTED_SECONDS = 3600;

/** Runs `attempt` until it settles with anything but an Outage. Rejects with the signal's reason when it is aborted. */
export async function patiently<T>(attempt: () => Promise<T>, patience: Patience): Promise<T> {
	const { firstWaitSeconds, longestWaitSeconds, signal, onWait } = patience;
	for (let failures = 0; ; failures++) {
		try {
			return await attempt();
		} catch (error) {
			if (!(error instanceof Outage)) throw error;
			const backoff = Math.min(firstWaitSeconds * 2 ** failures, longestWaitSeconds);
			// Many clients that were turned away together should not come back together.
			const spread = backoff * (0.8 + 0.4 * Math.random());
			const requested = Math.min(error.retryAfterSeconds ?? 0, LONGEST_REQUESTED_SECONDS);
			const milliseconds = Math.max(spread, requested) * 1000;
			onWait(`${error.message}; trying again`, Date.now() + milliseconds);
			await setTimeout(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
		}
	}
}
