/** The keys that work now, as many as fit. */
import { type Binding, KEYS, labelOf, type Situation, worksNow } from "./keys.ts";
import { type Line, lineWidth } from "./line.ts";
import { Row } from "./row.tsx";

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
	}).map((binding) => ({ rank: rankOf(binding, situation), line: entryLine(binding, situation) }));
	const last = entries.filter(({ rank }) => rank === "always").map(({ line }) => line);
	const others = [...entries.filter(({ rank }) => rank === "first"), ...entries.filter(({ rank }) => rank === "then")];
	const line: Line[] = [];
	let left = width - lineWidth(last.flat());
	for (const entry of others) {
		left -= lineWidth(entry.line);
		if (left < 0) break;
		line.push(entry.line);
	}
	return [...line, ...last].flat();
}

/** Help and quit are always told; away from the overview, the keys of that view come before those of the run. */
function rankOf({ action, views }: Binding, { view }: Situation): "always" | "first" | "then" {
	if (action === "help" || action === "quit") return "always";
	if (action === "approve" || action === "reject" || action === "back") return "first";
	return view !== "overview" && (views || action === "search") ? "first" : "then";
}

function entryLine(binding: Binding, situation: Situation): Line {
	return [[` ${binding.keys[0]} `, "strong", "accent"], `${labelOf(binding, situation)} `];
}
