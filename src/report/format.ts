/** Numbers, times and commits for people. ASCII only and without a locale: the same text on every machine. */

/** The metric, as results.tsv has it. */
export function metric(value: number): string {
	return value.toFixed(6);
}

/** A number in at most `cells` characters, with up to `decimals` decimals. */
export function fitted(value: number, cells: number, decimals = 6): string {
	for (let digits = decimals; digits >= 0; digits--) {
		const text = value.toFixed(digits);
		if (text.length <= cells) return text;
	}
	return value.toExponential(0);
}

/** `+0.001234`: a signed difference of metrics. */
export function signed(value: number): string {
	return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(6)}`;
}

/** `2.5%` of a share from 0 to 1. */
export function percent(share: number, digits = 0): string {
	return `${(share * 100).toFixed(digits)}%`;
}

/** `12,345`. */
export function grouped(value: number): string {
	return Math.round(value)
		.toString()
		.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `950`, `12.3k`, `4.5M`: about four characters, for counts whose last digits do not matter. */
export function compact(value: number): string {
	if (value < 1_000) return Math.round(value).toString();
	if (value < 999_950) return `${(value / 1_000).toFixed(1)}k`;
	if (value < 999_950_000) return `${(value / 1_000_000).toFixed(1)}M`;
	return `${(value / 1_000_000_000).toFixed(1)}G`;
}

/** A countdown or a stopwatch: `0:07`, `4:59`, `1:02:03`. */
export function clock(seconds: number): string {
	const whole = Math.max(0, Math.round(seconds));
	const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
	const two = (part: number) => part.toString().padStart(2, "0");
	return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A length of time at a glance: `43s`, `12m`, `3h 12m`, `2d 4h`. */
export function span(seconds: number): string {
	const whole = Math.max(0, Math.floor(seconds));
	if (whole < 60) return `${whole}s`;
	const minutes = Math.floor(whole / 60);
	if (minutes < 60) return `${minutes}m`;
	const hours = Math.floor(minutes / 60);
	return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `0.43 s`, `46.1 s`: a phase's seconds. */
export function seconds(value: number): string {
	return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

/** A commit as results.tsv has it: seven characters. */
export function shortCommit(commit: string): string {
	return commit.slice(0, 7);
}

/** `21:04` of an ISO time, in the machine's own time zone. */
export function timeOfDay(iso: string): string {
	const at = new Date(iso);
	return `${at.getHours().toString().padStart(2, "0")}:${at.getMinutes().toString().padStart(2, "0")}`;
}
