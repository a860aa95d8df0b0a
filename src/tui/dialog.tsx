/** A question with its choices, over the middle of the screen. */
import { Box } from "ink";
import type { Ask } from "./asks.ts";
import type { Size } from "./layout.ts";
import { type Line, Rows, wrap } from "./line.tsx";
import { Panel } from "./panel.tsx";

export function Dialog({ ask, screen }: { ask: Ask & { cursor: number }; screen: Size }) {
	const width = Math.min(76, screen.width - 4);
	const lines = dialogLines(ask, width - 4);
	const height = Math.min(screen.height, lines.length + 2);
	const place = {
		position: "absolute",
		flexDirection: "column",
		marginLeft: Math.floor((screen.width - width) / 2),
		marginTop: Math.floor((screen.height - height) / 2),
	} as const;
	// A box is transparent where nothing is written: blanks cover what is below.
	const blanks = Array.from({ length: height }, (): Line => [" ".repeat(width)]);
	return (
		<>
			<Box {...place}>
				<Rows lines={blanks} cells={width} height={height} />
			</Box>
			<Box {...place}>
				<Panel title={[[ask.title, "strong"]]} lines={lines} width={width} height={height} framed />
			</Box>
		</>
	);
}

function dialogLines({ choices, cursor }: Ask & { cursor: number }, cells: number): Line[] {
	const lines = choices.flatMap(({ key, label, says }, i): Line[] => [
		[],
		[i === cursor ? "> " : "  ", [` ${key} `, "chip"], " ", [label, "strong"]],
		...wrap(says, cells - 6).map((text): Line => [`      ${text}`]),
	]);
	const keys: Line = [
		["Enter", "accent"],
		" does it",
		choices.length > 1 ? ", j and k choose" : "",
		", ",
		["Esc", "accent"],
		" does nothing",
	];
	return [...lines, [], keys];
}
