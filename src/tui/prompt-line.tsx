/** The line in which the user types, in place of the footer. */
import { cellWidth, takeCells } from "./cells.ts";
import type { Line } from "./line.ts";
import { Row } from "./row.tsx";
import type { Prompt } from "./ui.ts";

const NAMES: Record<Prompt["kind"], string> = { search: "/", note: "note to the researcher: " };

export function PromptLine({ prompt, cells }: { prompt: Prompt; cells: number }) {
	return <Row line={promptLine(prompt, cells)} cells={cells} />;
}

function promptLine({ kind, text }: Prompt, cells: number): Line {
	const name = ` ${NAMES[kind]}`;
	const hint = "  Enter, Esc";
	const room = cells - cellWidth(name) - cellWidth(hint) - 1;
	// The user types at the end, so the beginning of a long text is cut.
	let shown = text;
	while (cellWidth(shown) > room) shown = shown.slice(takeCells(shown, 1).length || 1);
	return [[name, "accent", "strong"], shown, [" ", "selected"], [hint, "quiet"]];
}
