/** A researcher that works on through another's outages and failures. */
import { messageOf } from "../errors.ts";
import { type Brief, type Crash, type ProposeOptions, type Researcher, ResearcherError } from "./researcher.ts";

/** Shorter troubles are sat out; the other researcher's idea is worth that much. */
const PATIENCE_MS = 30_000;

/**
 * Asks `primary`; when it has to wait, or fails, for long, `standIn` makes this proposal, and the next one is asked of
 * `primary` again. A crash it cannot repair now stays one.
 */
export function withFallback(primary: Researcher, standIn: Researcher): Researcher {
	/** When the first question was asked that `primary` has had trouble with since it last answered one. */
	let troubledSince: number | undefined;

	/** What `primary` answers, or its trouble once that has lasted too long. */
	async function ask<T>(
		options: ProposeOptions,
		question: (watched: ProposeOptions) => Promise<T>,
	): Promise<{ answer: T } | { trouble: string }> {
		const asked = Date.now();
		const tooLong = (until: number) => {
			troubledSince ??= asked;
			return until - troubledSince > PATIENCE_MS;
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
			// What only a person can mend does not pass.
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
			async repair(brief: Brief, crash: Crash, options: ProposeOptions) {
				const asked = await ask(options, (watched) => primary.repair!(brief, crash, watched));
				if ("answer" in asked) return asked.answer;
				options.onNotice("warn", `${asked.trouble}; experiment ${crash.n} is not repaired`);
				return undefined;
			},
		}),
	};
}
