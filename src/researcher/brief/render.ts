/**
 * A brief as the text that a researcher with a language model is given, in four parts for prompt caching: the role and
 * the reference stay the same for the whole run, program.md and the best file until one of them changes, and the rest
 * is new every time.
 */

import { bestFirst } from "../../journal/metric.ts";
import { oneLine } from "../../text.ts";
import { type BriefPlan, planNext } from "../plateau.ts";
import { type Brief, type CrashReport, type Evidence, NOTE_LIMIT, type SourceFile } from "../researcher.ts";
import { digest, worthShowing } from "./digest.ts";
import { tallyFamilies } from "./families.ts";
import { bounded, clean, quote } from "./quote.ts";
import { fill } from "./templates.ts";

/** The limits of a brief's parts, in characters. */
const PROGRAM_LIMIT = 20_000;
const FILES_LIMIT = 90_000;
const REFERENCE_LIMIT = 40_000;
/** The most notes that a brief holds: the latest. */
export const NOTES = 20;
/** The longest brief, in characters. */
export const BRIEF_LIMIT = 210_000;

/** How a researcher works: with our tools, or as an agent in a checkout. */
type Way = "tools" | "agent";

export interface RenderedBrief {
	/** Who the researcher is and how it works. */
	role: string;
	/** Read-only reference; empty without one. */
	reference: string;
	/** program.md and the editable files. */
	steady: string;
	/** The history, the notes and what is asked for. */
	current: string;
}

export async function renderBrief(brief: Brief, way: Way, evidence?: Evidence): Promise<RenderedBrief> {
	const plan = brief.plan ?? planNext(brief.history, brief.best, brief.metric);
	return {
		...renderLasting(brief, way),
		steady: renderSteady(brief, brief.files),
		current: fill("proposal", {
			number: brief.n,
			// The first proposal builds on the baseline, which may not be measured yet.
			base: Math.max(brief.best, 1),
			history: digest(brief, await readDiffs(brief, evidence)),
			notes: renderNotes(brief),
			plan: renderPlan(brief, plan),
		}),
	};
}

/** The text for the author of a crash: its brief, but with the files as they crashed, the reason and the log. */
export async function renderRepair(
	brief: Brief,
	crash: CrashReport,
	attempts: number,
	way: Way,
	evidence?: Evidence,
): Promise<RenderedBrief> {
	const { n, attempt, proposal, reason, log } = crash;
	return {
		...renderLasting(brief, way),
		steady: renderSteady(brief, []),
		current: fill("repair", {
			history: digest(brief, await readDiffs(brief, evidence)),
			notes: renderNotes(brief),
			number: n,
			attempt,
			attempts,
			crash: quote(`experiment ${n}`, `${oneLine(proposal.title, 120)}\n${oneLine(reason, 300)}`, 1000),
			files: renderFiles(proposal.files, FILES_LIMIT),
			log: quote(`log of experiment ${n}`, log, 6000, "end"),
		}),
	};
}

function renderLasting(brief: Brief, way: Way): Pick<RenderedBrief, "role" | "reference"> {
	const { metric, budgetSeconds, ownTrainer, files, reference = [] } = brief;
	const paths = files.map((file) => `\`${file.path}\``).join(" and ");
	const role = fill("role", {
		budget: budgetSeconds >= 120 ? `${Math.round(budgetSeconds / 6) / 10} minutes` : `${budgetSeconds} seconds`,
		metric: metric.name,
		direction: metric.direction,
		files: paths,
		trainer: ownTrainer
			? fill("trainer-own", { seconds: budgetSeconds, timeout: ownTrainer.timeoutSeconds })
			: fill("trainer-built-in"),
	});
	return {
		role: `${role}\n\n${fill(way, way === "agent" ? { files: paths } : {})}`,
		reference: renderFiles(reference, REFERENCE_LIMIT),
	};
}

function renderSteady({ program }: Brief, files: readonly SourceFile[]): string {
	return fill("steady", {
		version: program.version,
		program: bounded(clean(program.text).trim(), PROGRAM_LIMIT, "start"),
		files: renderFiles(files, FILES_LIMIT),
	});
}

/** A brief as one text, for an agent's standard input and for `--show-brief`. */
export function joinBrief({ role, reference, steady, current }: RenderedBrief): string {
	return [role, reference, steady, current].filter(Boolean).join("\n\n");
}

async function readDiffs({ history }: Brief, evidence?: Evidence): Promise<Map<number, string>> {
	const diffs = new Map<number, string>();
	if (!evidence) return diffs;
	for (const n of worthShowing(history)) {
		// A diff that cannot be read is left out.
		const diff = await evidence.diff(n).catch(() => "");
		if (diff) diffs.set(n, diff);
	}
	return diffs;
}

/** Every file gets an equal share of the limit. */
function renderFiles(files: readonly SourceFile[], limit: number): string {
	return files
		.map(({ path, text }) => {
			const shown = bounded(text, Math.floor(limit / files.length), "start");
			return `<file path="${path}">\n${shown.replace(/<(?=\/file\b)/gi, "‹")}\n</file>`;
		})
		.join("\n\n");
}

function renderNotes({ notes = [] }: Brief): string {
	if (notes.length === 0) return "";
	const lines = notes.slice(-NOTES).map(({ text }) => `- ${oneLine(text, NOTE_LIMIT)}`);
	return `The human's latest notes:\n\n${lines.join("\n")}`;
}

/** The experiments that count as recent. */
const RECENT = 20;

function renderPlan(brief: Brief, { mode, stale, base }: BriefPlan): string {
	const { history, metric } = brief;
	switch (mode) {
		case "open":
			return fill("open");
		case "combine":
		case "bold":
			return fill(mode, { stale });
		case "other-family": {
			const tried = tallyFamilies(history.slice(-RECENT)).filter((family) => family.tried > 0);
			const seldom = tallyFamilies(history).toReversed();
			const names = (families: typeof tried) => families.map((family) => family.name).join(", ");
			return fill(mode, { stale, tried: names(tried.slice(0, 4)), untried: names(seldom.slice(0, 6)) });
		}
		case "restart": {
			const values = history.filter((e) => e.status === "keep").map((e) => e.value!);
			const leader = values.toSorted(bestFirst(metric))[0]!;
			const own = history.find((e) => e.n === base)?.value ?? leader;
			return fill(mode, { stale, base, distance: Math.abs(own - leader).toPrecision(2) });
		}
	}
}
