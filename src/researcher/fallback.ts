/** A researcher with a stand-in for the time in which it has an outage or fails. */
import { messageOf } from "../errors.ts";
import { type Brief, type CrashReport, type ProposeOptions, type Researcher, ResearcherError } from "./researcher.ts";

/** Shorter outages are waited out: the first researcher's ideas are worth that much. */
const LONGEST_OUTAGE_MS = 30_000;

/**
 * Asks `primary`. When it has to wait or fails for long, `standIn` makes this proposal, and `primary` is asked again
 * for the next one. A crash that `primary` cannot repair in time is not repaired.
 */
export function withFallback(primary: Researcher, standIn: Researcher): Researcher {
	/** Since when `primary` has not answered: the time of the first request that failed after the last answer. */
	let troubledSince: number | undefined;

	/** The answer of `primary`, or the reason why there is none once that has lasted too long. */
	async function ask<T>(
		options: ProposeOptions,
		question: (watched: ProposeOptions) => Promise<T>,
	): Promise<{ answer: T } | { trouble: string }> {
		const asked = Date.now();
		const tooLong = (until: number) => {
			troubledSince ??= asked;
			return until - troubledSince > LONGEST_OUTAGE_MS;
		};
		const outage = new AbortController();
		let trouble = "";
		const watched: ProposeOptions = {
			...options,
			signal: AbortSignal.any([options.signal, outage.signal]),
			onWait(why, until) {
				if (until === undefined || !tooLong(until)) return options.onWait(why, until);
				trouble = why.replace(/; trying again$/, "");
				outage.abort();
			},
		};
		try {
			const answer = await question(watched);
			troubledSince = undefined;
			return { answer };
		} catch (error) {
			if (options.signal.aborted) throw error;
			if (outage.signal.aborted) return { trouble };
			// A ResearcherError needs a person: waiting does not help.
			if (tooLong(Date.now()) || error instanceof ResearcherError)
				return { trouble: messageOf(error).replace(/\.$/, "") };
			throw error;
		}
	}

	return {
		...primary,
		async propose(brief, options) {
			const asked = await ask(options, (watched) => primary.propose(brief, watched));
			if ("answer" in asked) return asked.answer;
			options.onNotice("warn", `${asked.trouble}; the ${standIn.name} researcher proposes experiment ${brief.n}`);
			return { ...(await standIn.propose(brief, options)), researcher: standIn.name };
		},
		...(primary.repair && {
			async repair(brief: Brief, crash: CrashReport, options: ProposeOptions) {
				const asked = await ask(options, (watched) => primary.repair!(brief, crash, watched));
				if ("answer" in asked) return asked.answer;
				options.onNotice("warn", `${asked.trouble}; experiment ${crash.n} is not repaired`);
				return undefined;
			},
		}),
	};
}
