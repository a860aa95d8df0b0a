/**
 * The history of a run in a page or two: what was kept, what came near, what crashed and why, and how often each kind
 * of idea was tried. Its size is bounded, however long the run.
 */
import { gain } from "../../journal/metric.ts";
import type { Experiment } from "../../journal/state.ts";
import { oneLine } from "../../text.ts";
import type { Brief } from "../researcher.ts";
import { tallyFamilies } from "./families.ts";
import { quote } from "./quote.ts";

const KEPT = 25;
const NEAR_MISSES = 15;
const RECENT = 25;
const CRASHES = 10;
const VERDICTS = 10;
const TITLE = 120;
const REASON = 100;
const DIFFS = 5;
const DIFF_CHARACTERS = 2500;
/** The longest digest, in characters. */
export const DIGEST_LIMIT = 32_000;

/** How much better an experiment was than its parent, in units of the metric; undefined where one was not measured. */
export type GainOf = (experiment: Experiment) => number | undefined;

export function gains({ history, metric }: Pick<Brief, "history" | "metric">): GainOf {
	const values = new Map(history.map((e) => [e.commit, e.value]));
	return (experiment) => {
		const parent = values.get(experiment.parent);
		if (experiment.value === undefined || parent === undefined || experiment.commit === experiment.parent)
			return undefined;
		return gain(metric, parent, experiment.value);
	};
}

/** Experiments whose diffs a digest shows when it is given them: the last keeps. */
export function worthShowing(history: readonly Experiment[]): number[] {
	return history
		.filter(isWin)
		.slice(-DIFFS)
		.map((e) => e.n);
}

/** @param diffs unified diffs by experiment number, for those of `worthShowing` that could be read */
export function digest(brief: Brief, diffs: ReadonlyMap<number, string>): string {
	const { history, pending = [] } = brief;
	const gainOf = gains(brief);
	const line = (e: Experiment) => describeExperiment(e, gainOf(e));
	const kept = history.filter(isWin);
	const discarded = history.filter((e) => e.status === "discard" && !isByHand(e) && gainOf(e) !== undefined);
	const near = discarded.toSorted((a, b) => gainOf(b)! - gainOf(a)!).slice(0, NEAR_MISSES);
	const crashed = history.filter((e) => e.status === "crash");
	const families = tallyFamilies(history.slice(1))
		.filter(({ tried }) => tried > 0)
		.map(({ name, tried, kept }) => `${name}: ${tried} tried, ${kept} kept`);
	const judged = history.filter(isByHand);
	const training = pending.map((e) => `#${e.n} ${oneLine(e.title, TITLE)}`);
	const sections = [
		list(
			"kept, newest first: number, measurement, gain over its parent, title",
			kept.toReversed().slice(0, KEPT).map(line),
		),
		list("near misses: discarded, closest first", near.map(line)),
		list("the last experiments, newest first", history.slice(-RECENT).toReversed().map(line)),
		list("decided by the human, newest first", judged.toReversed().slice(0, VERDICTS).map(line)),
		list("crashes, newest first", crashed.toReversed().slice(0, CRASHES).map(line)),
		list("kinds of ideas", families),
		list("in training now, not decided", training),
		...[...diffs].map(([n, diff]) => quote(`diff of experiment ${n}, kept`, diff, DIFF_CHARACTERS)),
	];
	let text = headline(brief);
	for (const section of sections) {
		if (section && text.length + section.length + 2 <= DIGEST_LIMIT) text += `\n\n${section}`;
	}
	return text;
}

/** The state of the run in two or three sentences. */
function headline({ history, metric, best }: Brief): string {
	const [baseline] = history;
	if (!baseline) return "No experiment has been measured yet.";
	const count = (status: Experiment["status"]) => history.filter((e) => e.status === status).length;
	const leader = history.find((e) => e.n === best);
	const present = leader ? value(leader) : "not measured";
	const win = history.findLast(isWin);
	const lastWin = win ? `The last win was experiment ${win.n}` : "No win yet";
	const since = history.slice(win ? history.indexOf(win) + 1 : 1);
	const minutes = Math.round(since.reduce((sum, e) => sum + e.workedMs, 0) / 60_000);
	return [
		`${history.length} experiments: ${count("keep")} kept, ${count("discard")} discarded, ${count("crash")} crashed.`,
		`Baseline ${value(baseline)}; experiment ${best}, which you build on, ${present} (${metric.name}).`,
		`${lastWin}: ${since.length} experiments and ${minutes} minutes of work since.`,
	].join(" ");
}

/** Kept, and not the baseline, which is kept without having beaten anything. */
function isWin({ status, commit, parent }: Experiment): boolean {
	return status === "keep" && commit !== parent;
}

/** Decided by the human: kept, reverted, rejected or skipped. The gate discards only what was measured. */
function isByHand({ status, value, reverted, byHand }: Experiment): boolean {
	return Boolean(reverted || byHand) || (status === "discard" && value === undefined);
}

function list(name: string, lines: string[]): string {
	return lines.length === 0 ? "" : quote(name, lines.join("\n"), DIGEST_LIMIT);
}

/** An experiment on one line, with its reason where the measurement does not give it: a crash, a decision by hand. */
export function describeExperiment(experiment: Experiment, gained: number | undefined): string {
	const { n, status, title, reason = "" } = experiment;
	const measured = experiment.value === undefined ? "" : ` ${value(experiment)}`;
	const difference =
		gained === undefined ? "" : ` (${gained > 0 ? "better" : "worse"} by ${Math.abs(gained).toPrecision(2)})`;
	const why = status === "crash" || isByHand(experiment) ? `: ${oneLine(reason, REASON)}` : "";
	return `#${n} ${status}${measured}${difference} ${oneLine(title, TITLE)}${why}`;
}

function value(experiment: Experiment): string {
	return experiment.value?.toFixed(6) ?? "not measured";
}
