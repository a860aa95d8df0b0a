/**
 * The keyless researcher: it moves the constants of the editable file, one or two at a time, and learns from what came of
 * it. It is the control that every cleverer researcher is compared with.
 *
 * A proposal is a pure function of the brief: the same history, program.md, file and seed give the same proposal, in this process
 * or the next.
 */
import type { Brief, Proposal, ProposeOptions, Researcher, SourceFile } from "../researcher.ts";
import { createAxis } from "./axis.ts";
import { form } from "./beliefs.ts";
import { type Constant, readConstants, rewrite, SyntaxProblem } from "./constants.ts";
import { traceLineage } from "./lineage.ts";
import { type Choice, choose, LEVELS, type Situation } from "./moves.ts";
import { createRandom } from "./random.ts";
import { readSteering, type Steering } from "./steering.ts";
import { hypothesisOf, titleOf } from "./words.ts";

export interface SearchProposal extends Proposal {
	/** How far it had to look: above 0 when the usual steps were all tried. */
	level: number;
}

/** The next proposal; undefined when every configuration the limits leave has been tried. */
export function proposeFrom(brief: Brief): SearchProposal | undefined {
	const sources = brief.files.map((file) => ({ file, constants: readConstants(file.path, file.text) }));
	const constants = sources.flatMap((source) => source.constants);
	const steering = steeringOf(brief, constants);
	const axes = constants.map(createAxis);
	const { present, trials, tried } = traceLineage(brief, constants);
	const beliefs = form(axes, trials, present, brief.metric.direction, brief.budgetSeconds);
	const situation: Situation = { axes, present, tried, beliefs, steering };
	const random = createRandom(brief.seed, brief.n);
	for (const [level, reach] of LEVELS.entries()) {
		const choice = choose(situation, reach, random);
		if (!choice) continue;
		return {
			title: titleOf(choice),
			hypothesis: hypothesisOf(choice, trials, beliefs),
			files: sources.flatMap(({ file, constants }) => edited(file, constants, choice)),
			changes: choice.moves.map(({ axis, text }) => ({ name: axis.constant.name, from: axis.constant.text, to: text })),
			level,
		};
	}
	return undefined;
}

function edited(file: SourceFile, constants: readonly Constant[], { moves }: Choice): SourceFile[] {
	const edits = moves
		.filter(({ axis }) => constants.includes(axis.constant))
		.map(({ axis, text }) => ({ constant: axis.constant, text }));
	return edits.length === 0 ? [] : [{ path: file.path, text: rewrite(file.path, file.text, edits) }];
}

function steeringOf({ program, notes }: Brief, constants: readonly Constant[]): Steering {
	const said = [program.text, ...(notes ?? []).map((note) => note.text)].join("\n\n");
	return readSteering(
		said,
		constants.map((constant) => constant.name),
	);
}

/** What program.md was understood to say, for the human to check; undefined when it steers nothing. */
function understood({ offLimits, focus, limits, oneWay }: Steering): string | undefined {
	const parts = [
		offLimits.size > 0 && `leaves alone ${[...offLimits].join(", ")}`,
		focus.size > 0 && `prefers ${[...focus].join(", ")}`,
		limits.size > 0 && `keeps to limits for ${[...limits.keys()].join(", ")}`,
		oneWay.size > 0 && `only moves ${[...oneWay].map(([name, way]) => `${name} ${way}`).join(", ")}`,
	].filter((part) => part !== false);
	return parts.length > 0 ? parts.join("; ") : undefined;
}

/** The built-in search. Needs no key, no network and no time to speak of. */
export function createSearch(): Researcher {
	let program = "";
	let level = 0;
	const tellSteering = (brief: Brief, onNotice: ProposeOptions["onNotice"]) => {
		if (brief.program.version === program) return;
		program = brief.program.version;
		const constants = brief.files.flatMap((file) => readConstants(file.path, file.text));
		const text = understood(steeringOf(brief, constants));
		if (text) onNotice("info", `program.md: the search ${text}`);
	};
	return {
		name: "search",
		async propose(brief, { signal, onDraft, onWait, onNotice }) {
			signal.throwIfAborted();
			let reason = "nothing left to try: every value that program.md and the file's comments allow has been tried";
			try {
				tellSteering(brief, onNotice);
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
