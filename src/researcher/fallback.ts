/** A researcher that works on through another's outages. */
import type { Brief, Proposal, ProposeOptions, Researcher } from "./researcher.ts";

/** Shorter waits are sat out; the other researcher's idea is worth that much. */
const PATIENCE_MS = 30_000;

/**
 * Asks `primary`; when it has to wait for long, `standIn` makes this proposal, and the next one is asked of `primary` again.
 */
export function withFallback(primary: Researcher, standIn: Researcher): Researcher {
	return {
		...primary,
		async propose(brief: Brief, options: ProposeOptions): Promise<Proposal> {
			const outage = new AbortController();
			const since = Date.now();
			let reason = "";
			const watched: ProposeOptions = {
				...options,
				signal: AbortSignal.any([options.signal, outage.signal]),
				onWait(why, until) {
					if (until === undefined || until - since <= PATIENCE_MS) return options.onWait(why, until);
					reason = why.replace(/; trying again$/, "");
					outage.abort();
				},
			};
			try {
				return await primary.propose(brief, watched);
			} catch (error) {
				if (!outage.signal.aborted || options.signal.aborted) throw error;
			}
			options.onNotice("warn", `${reason}; the ${standIn.name} researcher proposes experiment ${brief.n}`);
			return { ...(await standIn.propose(brief, options)), researcher: standIn.name };
		},
	};
}
