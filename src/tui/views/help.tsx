/** Every key and what it does, from the one table of keys; and how to read the screen. */
import { type Binding, KEYS } from "../keys.ts";
import type { Size } from "../layout.ts";
import type { Line } from "../line.tsx";
import { Pager } from "../pager.tsx";

const SIGNS: readonly [string, string][] = [
	["+ keep", "better than the best before it: its commit is on the branch"],
	["- discard", "not better, skipped or taken back: its commit is kept under its number, not on the branch"],
	["! crash", "no measurement: the run failed; open it for the reason"],
	["* best", "the branch stands on it, and the next proposals start from it"],
	["> running", "in flight"],
];

export function HelpView({ size, framed }: { size: Size; framed: boolean }) {
	return <Pager title={[["help", "strong"]]} lines={helpLines()} size={size} framed={framed} />;
}

export function helpLines(): Line[] {
	const groups = Map.groupBy(KEYS, ({ group }) => group);
	const keys = [...groups].flatMap(([group, bindings]) => [heading(group), ...bindings.map(keyLine), []]);
	const signs = [heading("Signs"), ...SIGNS.map(([sign, text]) => entry(sign, text))];
	return [...keys, ...signs];
}

const heading = (text: string): Line => [[text, "strong"]];

function entry(name: string, text: string): Line {
	return [["  "], [name.padEnd(20), "accent"], text];
}

function keyLine({ keys, help, views }: Binding): Line {
	const where = views ? `  (${views.join(", ")})` : "";
	return [...entry(keys.join(" "), help), [where, "quiet"]];
}
