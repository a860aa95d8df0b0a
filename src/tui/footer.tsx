/** The keys that work now, as many as fit. */
import { KEYS, labelOf, type Situation, worksNow } from "./keys.ts";
import { type Line, lineWidth, Row } from "./line.tsx";

export function Footer({ situation, width }: { situation: Situation; width: number }) {
	return <Row line={footerLine(situation, width)} cells={width} />;
}

export function footerLine(situation: Situation, width: number): Line {
	const taken = new Set<string>();
	const entries = KEYS.filter((binding) => {
		// A key that means two things here is shown with the one it has now.
		const shown = worksNow(binding, situation) && !taken.has(binding.keys[0]!);
		if (shown) taken.add(binding.keys[0]!);
		return shown && !binding.quiet;
	}).map((binding) => ({
		always: binding.action === "help" || binding.action === "quit",
		line: [[` ${binding.keys[0]} `, "strong", "accent"], [`${labelOf(binding, situation)} `]] as Line,
	}));
	const sizeOf = (list: typeof entries) => list.reduce((sum, { line }) => sum + lineWidth(line), 0);
	const last = entries.filter(({ always }) => always);
	const line: Line[] = [];
	let left = width - sizeOf(last);
	for (const entry of entries.filter(({ always }) => !always)) {
		left -= lineWidth(entry.line);
		if (left < 0) break;
		line.push(entry.line);
	}
	return [...line, ...last.map((entry) => entry.line)].flat();
}
