/**
 * The search, a Bayesian optimiser over the constants of the editable file. It needs no key: it changes one or two
 * constants at a time, chosen by Thompson sampling (surrogate.ts) from what the history says about them (posterior.ts)
 * and what is generally known (priors.ts). It is the control that every cleverer researcher is compared with.
 *
 * A proposal is a pure function of the brief: the same history, program.md, file and seed give the same proposal, in
 * this process or the next.
 */
import { oneLine } from "../../text.ts";
import type { Brief, Proposal, ProposeOptions, Researcher, SourceFile } from "../researcher.ts";
import { type Candidate, choose, LEVELS, type SearchSpace } from "./candidates.ts";
import { type Constant, readConstants, rewrite, SyntaxProblem } from "./constants.ts";
import { type Constraints, readConstraints } from "./constraints.ts";
import { hypothesisOf, titleOf } from "./describe-proposal.ts";
import { createScale } from "./parameter-scale.ts";
import { fitPosterior } from "./posterior.ts";
import { createRandom } from "./random.ts";
import { traceTrials } from "./trials.ts";

export interface SearchProposal extends Proposal {
	/** Index in LEVELS: above 0 when the usual steps have all been tried. */
	level: number;
}

/** The next proposal; undefined when every configuration the limits leave has been tried. */
export function proposeFrom(brief: Brief): SearchProposal | undefined {
	const sources = brief.files.map((file) => ({ file, constants: readConstants(file.path, file.text) }));
	const constants = sources.flatMap((source) => source.constants);
	const constraints = constraintsOf(brief, constants);
	const parameters = constants.map(createScale);
	const { present, trials, tried } = traceTrials(brief, constants);
	const posterior = fitPosterior(parameters, trials, present, brief.metric, brief.budgetSeconds);
	const space: SearchSpace = { parameters, present, tried, posterior, constraints };
	const random = createRandom(brief.seed, brief.n);
	for (const [index, level] of LEVELS.entries()) {
		const candidate = choose(space, level, random);
		if (!candidate) continue;
		return {
			title: titleOf(candidate),
			hypothesis: hypothesisOf(candidate, trials, posterior),
			files: sources.flatMap(({ file, constants }) => edited(file, constants, candidate)),
			changes: candidate.adjustments.map(({ parameter: { constant }, text }) => ({
				name: constant.name,
				from: constant.text,
				to: text,
			})),
			level: index,
		};
	}
	return undefined;
}

function edited(file: SourceFile, constants: readonly Constant[], { adjustments }: Candidate): SourceFile[] {
	const edits = adjustments
		.filter(({ parameter }) => constants.includes(parameter.constant))
		.map(({ parameter, text }) => ({ constant: parameter.constant, text }));
	return edits.length === 0 ? [] : [{ path: file.path, text: rewrite(file.path, file.text, edits) }];
}

/** The constraints of program.md and of the notes; a note that states none counts as unread. */
function constraintsOf({ program, notes = [] }: Brief, constants: readonly Constant[]): Constraints {
	const names = constants.map(({ name }) => name);
	// A heading ends a list of program.md before the notes.
	const text = [program.text, ...notes.map((note) => note.text)].join("\n\n# Note\n\n");
	const constraints = readConstraints(text, names);
	const prose = notes.filter((note) => readConstraints(note.text, names).read.length === 0);
	return { ...constraints, unread: [...new Set([...constraints.unread, ...prose.map((note) => note.text)])] };
}

/** Lines that a notice quotes, and how much of each. */
const QUOTED_LINES = 3;
const QUOTED_CHARACTERS = 80;

/** What was read as constraints, for the human to check. */
function describeConstraints({ read, unread }: Constraints): string {
	const quoted = unread.slice(0, QUOTED_LINES).map((line) => `"${oneLine(line, QUOTED_CHARACTERS)}"`);
	const more = unread.length - quoted.length;
	const ignored = `not read as constraints: ${quoted.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
	return [
		`program.md: ${read.join("; ") || "no constraints for the search"}`,
		...(unread.length > 0 ? [ignored] : []),
		"prose is for language models",
	].join("; ");
}

/** The built-in search. Needs no key and no network, and answers within milliseconds. */
export function createSearch(): Researcher {
	let told = "";
	let level = 0;
	const tellConstraints = (brief: Brief, onNotice: ProposeOptions["onNotice"]) => {
		const constants = brief.files.flatMap((file) => readConstants(file.path, file.text));
		const constraints = constraintsOf(brief, constants);
		const text = describeConstraints(constraints);
		if (told === brief.program.version + text) return;
		told = brief.program.version + text;
		onNotice(constraints.unread.length > 0 ? "warn" : "info", text);
	};
	return {
		name: "search",
		plansItself: true,
		isInstant: true,
		async propose(brief, { signal, onDraft, onWait, onNotice }) {
			signal.throwIfAborted();
			let reason = "nothing left to try: every value that program.md and the file's comments allow has been tried";
			try {
				tellConstraints(brief, onNotice);
				const proposal = proposeFrom(brief);
				if (proposal) {
					const { level: reached, ...rest } = proposal;
					if (reached > level) {
						onNotice("info", "The usual steps have all been tried from here; trying finer and wider ones.");
					}
					level = reached;
					onDraft(rest);
					return rest;
				}
				if (!hasConstants(brief))
					reason = `nothing to try: ${pathsOf(brief)} has no constants that the search can read`;
			} catch (error) {
				if (!(error instanceof SyntaxProblem)) throw error;
				reason = `the search reads TypeScript and JavaScript only, and cannot read ${error.message}`;
			}
			onNotice("warn", `${reason}. Change program.md or the file, or name another researcher.`);
			onWait(reason);
			return await aborted(signal);
		},
	};
}

function hasConstants({ files }: Brief): boolean {
	return files.some(({ path, text }) => readConstants(path, text).length > 0);
}

function pathsOf({ files }: Brief): string {
	return files.map(({ path }) => path).join(", ");
}

/** There is nothing to propose until a human changes program.md or the file; either aborts the signal. */
function aborted(signal: AbortSignal): Promise<never> {
	return new Promise((_, reject) => {
		const abort = () => reject(signal.reason);
		if (signal.aborted) abort();
		else signal.addEventListener("abort", abort, { once: true });
	});
}
