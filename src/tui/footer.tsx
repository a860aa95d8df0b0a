/** The keys that work now, as many as fit. */
import { type Binding, KEYS, type KeyContext, labelOf, worksNow } from "./keys.ts";
import { type Line, lineWidth } from "./line.ts";
import { Row } from "./row.tsx";

export function Footer({ context, width }: { context: KeyContext; width: number }) {
	return <Row line={footerLine(context, width)} cells={width} />;
}

export function footerLine(context: KeyContext, width: number): Line {
	const taken = new Set<string>();
	const entries = KEYS.filter((binding) => {
		// A key with two meanings is shown with the one it has now.
		const shown = worksNow(binding, context) && !taken.has(binding.keys[0]!);
		if (shown) taken.add(binding.keys[0]!);
		return shown && !binding.quiet;
	}).map((binding) => ({ rank: rankOf(binding, context), line: entryLine(binding, context) }));
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

/** Help and quit are always shown. In the other views the keys of the view come before those of the run. */
function rankOf({ action, views }: Binding, { view }: KeyContext): "always" | "first" | "then" {
	if (action === "help" || action === "quit") return "always";
	if (action === "approve" || action === "reject" || action === "back") return "first";
	return view !== "overview" && (views || action === "search") ? "first" : "then";
}

function entryLine(binding: Binding, context: KeyContext): Line {
	return [[` ${binding.keys[0]} `, "strong", "accent"], `${labelOf(binding, context)} `];
}
