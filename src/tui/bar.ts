/** A progress bar, with eighths of a cell if the glyphs have them. */
import type { Line } from "./line.ts";
import type { Glyphs } from "./theme.ts";

export function bar(share: number, cells: number, { bar: { full, parts, empty } }: Glyphs): Line {
	const exact = Math.min(1, Math.max(0, share)) * cells;
	const whole = Math.floor(exact);
	const part = whole < cells ? Math.floor((exact - whole) * (parts.length + 1)) : 0;
	const done = full.repeat(whole) + (part > 0 ? parts[part - 1] : "");
	return [
		[done, "accent"],
		[empty.repeat(cells - whole - (part > 0 ? 1 : 0)), "quiet"],
	];
}
