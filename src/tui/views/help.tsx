/** Every key and what it does, from the one table of keys; and how to read the screen. */
import { type Binding, KEYS } from "../keys.ts";
import { inside, type Size } from "../layout.ts";
import type { Line } from "../line.ts";
import { Pager } from "../pager.tsx";
import { wrapText } from "../wrap.ts";

const SIGNS: readonly [string, string][] = [
	["+ keep", "better than the best before it: its commit is on the branch"],
	["- discard", "not better, skipped or taken back: its commit is kept under its number, not on the branch"],
	["! crash", "no measurement: the run failed; open it for the reason"],
	["* best", "the branch stands on it, and the next proposals start from it"],
	["> running", "in flight"],
	["? y or n", "approve mode: waits for your answer"],
	["= aside", "set aside by a pause; begun afresh when the run goes on"],
];

/** Cells a key's names take. */
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
