/**
 * What a training run prints, in the format of karpathy/autoresearch's train.py: a progress line that rewrites itself,
 * and a summary block of `key: value` lines after `---`.
 */
import type { TrainingProgress } from "../journal/events.ts";

const PROGRESS = new RegExp(
	[
		/^step (\d+) \(([\d.]+)%\) \| loss: (\S+) \| lrm: (\S+) \| dt: (\d+)ms \| tok\/sec: ([\d,]+)/,
		/(?: \| mfu: \S+%)? \| epoch: (\d+) \| remaining: (\d+(?:\.\d+)?)s/,
	]
		.map(({ source }) => source)
		.join(""),
);

/** The progress a line reports; undefined for any other line. `elapsed` is what the budget leaves. */
export function parseProgress(line: string, budgetSeconds: number): TrainingProgress | undefined {
	const match = PROGRESS.exec(line.trim());
	if (!match) return undefined;
	const [, step, percent, loss, lrm, dt, rate, epoch, remaining] = match;
	// The percentage has a decimal, the seconds have none: take the finer one, for short budgets.
	const elapsed = Math.round(Number(percent) * budgetSeconds * 10) / 1000;
	return {
		step: Number(step),
		loss: Number(loss),
		lrMultiplier: Number(lrm),
		stepMs: Number(dt),
		tokensPerSecond: Number(rate!.replaceAll(",", "")),
		epoch: Number(epoch),
		elapsed,
		remaining: Math.max(0, Math.min(Number(remaining), budgetSeconds)),
	};
}

/** The numbers of the last summary block in `lines`. */
export function parseSummary(lines: string[]): Record<string, number> {
	const summary: Record<string, number> = {};
	const start = lines.findLastIndex((line) => line.trim() === "---");
	for (const line of start < 0 ? [] : lines.slice(start + 1)) {
		const match = /^(\w+):\s+(-?[\d.]+(?:e[+-]?\d+)?|nan|-?inf)\s*$/i.exec(line.trim());
		if (match) summary[match[1]!] = Number(match[2]);
	}
	return summary;
}
