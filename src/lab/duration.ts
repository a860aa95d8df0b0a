/** Durations as people write them. */

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/**
 * Seconds in `"5m"`, `"30s"`, `"1h30m"`, `"90"` (plain numbers are seconds). Undefined when it is not a positive
 * duration.
 */
export function parseDuration(text: string): number | undefined {
	const compact = text.trim().toLowerCase();
	if (/^\d+(\.\d+)?$/.test(compact)) return positive(Number(compact));
	if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(compact)) return undefined;
	let seconds = 0;
	for (const [, amount, unit] of compact.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
		seconds += Number(amount) * UNITS[unit!]!;
	}
	return positive(seconds);
}

function positive(seconds: number): number | undefined {
	return seconds > 0 && Number.isFinite(seconds) ? seconds : undefined;
}
