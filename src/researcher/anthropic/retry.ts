/**
 * Repeats a request while the service is out of order. Waits double from one try to the next, up to a longest wait,
 * unless the service asks for longer; the console shows each. There is no last try: an outage may take hours.
 */
import { setTimeout } from "node:timers/promises";
import { Outage } from "./client.ts";

export interface Backoff {
	firstWaitSeconds: number;
	longestWaitSeconds: number;
	signal: AbortSignal;
	/** @param until when it will be tried again, epoch ms */
	onWait(reason: string, until: number): void;
}

/** A service that asks for a longer wait than this is asked again after it. */
const LONGEST_REQUESTED_SECONDS = 3600;

/** Runs `attempt` until it settles with anything but an Outage. Rejects with the signal's reason when it is aborted. */
export async function withBackoff<T>(attempt: () => Promise<T>, backoff: Backoff): Promise<T> {
	const { firstWaitSeconds, longestWaitSeconds, signal, onWait } = backoff;
	for (let failures = 0; ; failures++) {
		try {
			return await attempt();
		} catch (error) {
			if (!(error instanceof Outage)) throw error;
			const wait = Math.min(firstWaitSeconds * 2 ** failures, longestWaitSeconds);
			// Jitter: many clients that were turned away together should not come back together.
			const spread = wait * (0.8 + 0.4 * Math.random());
			const requested = Math.min(error.retryAfterSeconds ?? 0, LONGEST_REQUESTED_SECONDS);
			const milliseconds = Math.max(spread, requested) * 1000;
			onWait(`${error.message}; trying again`, Date.now() + milliseconds);
			await setTimeout(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
		}
	}
}
