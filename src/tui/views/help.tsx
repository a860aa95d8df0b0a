/** Every key and what it does, from the table in keys.ts, and the signs of the results table. */
import { type Binding, KEYS } from "../keys.ts";
import { inside, type Size } from "../layout.ts";
import type { Line } from "../line.ts";
import { Pager } from "../pager.tsx";
import { wrapText } from "../wrap.ts";

const SIGNS: readonly [string, string][] = [
	["* best", "the best of the kept ones; the next proposals start from it, unless you chose another base"],
	["+ base", "the base you chose: the next proposals start from it"],
	["+ keep", "better than its base: its commit is on the branch"],
	["+ by hand", "kept by you"],
	["- discard", "not better, skipped or dropped: its commit is kept under its number, not on the branch"],
	["- undone", "kept first, then reverted by you"],
	["! crash", "no measurement: the run failed; open it for the reason"],
	["> running", "being proposed, trained or measured"],
	["? y or n", "approve mode: waits for your answer"],
	["= paused", "interrupted by a pause; trained again when the run resumes"],
	["> open", "in flight when the run stopped"],
];

/** Cells of the column with the names of the keys. */
const KEYS_CELLS = 20;

export function HelpView({ size, framed }: { size: Size; framed: boolean }) {
	const lines = helpLines(inside({ ...size, framed }).width);
	return <Pager title={[["help", "strong"]]} lines={lines} size={size} framed={framed} />;
}

export function helpLines(cells: number): Line[] {
	const heading = (text: string): Line => [[text, "strong"]];
	const entry = (name: string, text: string) =>
		wrapText(text, cells - KEYS_CELLS - 2).map(
			(part, i): Line => [["  "], [(i === 0 ? name : "").padEnd(KEYS_CELLS), "accent"], part],
		);
	const groups = Map.groupBy(KEYS, ({ group }) => group);
	return [
		...[...groups].flatMap(([group, bindings]) => [
			heading(group),
			...bindings.flatMap((binding) => entry(binding.keys.join(" "), helpOf(binding))),
			[],
		]),
		heading("Signs"),
		...SIGNS.flatMap(([sign, text]) => entry(sign, text)),
	];
}

function helpOf({ help, views }: Binding): string {
	return views ? `${help} (in ${views.join(", ")})` : help;
}
