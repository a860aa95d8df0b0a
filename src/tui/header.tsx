/** The two lines on top: the run and what it is doing; its best result and its counts. */
import { gain } from "../journal/metric.ts";
import { best, type State, standingOn } from "../journal/state.ts";
import { compact, fitted, metric, percent, span } from "../report/format.ts";
import { gpuNow } from "../report/gpu.ts";
import { truncate } from "./cells.ts";
import { type Line, spreadLine } from "./line.ts";
import { Rows } from "./row.tsx";
import { statusOf } from "./run-status.ts";
import { countsOf, gpuIdleOf, spentOf } from "./selectors.ts";
import { type Theme, useTheme } from "./theme.ts";

export function Header({ state, now, width }: { state: State; now: number; width: number }) {
	return <Rows lines={headerLines(state, now, width, useTheme())} cells={width} height={2} />;
}

function headerLines(state: State, now: number, width: number, { glyphs }: Theme): Line[] {
	const { word, tone } = statusOf(state, now);
	const number = state.live.n > 0 ? ` ${state.live.n}` : "";
	const by = state.model ? `${state.researcher} (${state.model})` : state.researcher;
	const gpu = state.live.phase === "training" ? gpuNow(state.live.training ?? {}) : "";
	const where: Line = [
		" ",
		["autoresearch", "strong"],
		"  ",
		[state.tag, "accent", "strong"],
		[`  on ${state.branch}`, "quiet"],
		[width >= 100 ? `  ${by}  ${state.device}  ${gpu}` : "", "quiet"],
	];
	const badge: Line = [
		[state.approval ? "approve mode  " : "", "warn"],
		[state.stopAfter === undefined || state.stopped ? "" : `stops after ${state.stopAfter}  `, "warn"],
		[` ${word}${number} `, tone, "chip"],
		" ",
	];

	const end = state.until ? Date.parse(state.until) : now;
	const elapsed = state.since ? (end - Date.parse(state.since)) / 1000 : 0;
	const { keep, discard, crash, total, perHour } = countsOf(state);
	const spent = spentOf(state);
	const idle = gpuIdleOf(state);
	const isWide = width >= 100;
	const counts: Line = [
		[`+${keep}`, "good"],
		isWide ? " kept  " : "  ",
		[`-${discard}`, "quiet"],
		isWide ? " discarded  " : "  ",
		[`!${crash}`, crash > 0 ? "bad" : "quiet"],
		isWide ? ` crashed of ${total}  ` : ` of ${total}  `,
		Number.isNaN(perHour) ? "" : `${perHour.toFixed(perHour < 10 ? 1 : 0)}/h  `,
		spent.tokens > 0 && width >= 120 ? `${compact(spent.tokens)} tokens  ` : "",
		spent.cost > 0 ? `${spent.cost.toFixed(2)} spent  ` : "",
		idle !== undefined && width >= 120 ? `GPU idle ${percent(idle)}  ` : "",
		[span(elapsed), "strong"],
		" ",
	];
	return [
		spreadLine(where, badge, width, glyphs.ellipsis),
		spreadLine([" ", ...bestLine(state, width, glyphs.ellipsis)], counts, width, glyphs.ellipsis),
	];
}

/** Cells of the metric's name at most: its value matters more. */
const NAME_CELLS = 16;

/** The best value and its gain over the baseline; also the base, when the user chose another one. */
function bestLine(state: State, width: number, ellipsis: string): Line {
	const now = best(state);
	const baseline = state.experiments[0]?.value;
	if (now?.value === undefined) return [["no result yet", "quiet"]];
	const name = truncate(state.metric.name, NAME_CELLS, ellipsis);
	const base = standingOn(state);
	const line: Line =
		base?.value === undefined || base === now
			? [`${name} `, [metric(now.value), "strong"]]
			: [`${name} base #${base.n} ${metric(base.value)}, best `, [metric(now.value), "strong"]];
	if (baseline === undefined || now.n === 1) return [...line, [" baseline", "quiet"]];
	const gained = gain(state.metric, baseline, now.value);
	// A baseline of zero has no percentage.
	const much = baseline === 0 ? fitted(Math.abs(gained), 8) : percent(Math.abs(gained / baseline), 1);
	const word = gained >= 0 ? "better" : "worse";
	return [
		...line,
		[` ${much} ${word}`, gained >= 0 ? "good" : "warn"],
		[width >= 100 ? ` than the baseline  #${now.n}` : ` #${now.n}`, "quiet"],
	];
}
