/** A question with its choices, over the middle of the screen. */
import { Box } from "ink";
import type { Ask, Choice } from "./asks.ts";
import type { Size } from "./layout.ts";
import type { Line } from "./line.ts";
import { Panel } from "./panel.tsx";
import { Rows } from "./row.tsx";
import { wrapText } from "./wrap.ts";

export function Dialog({ ask, screen }: { ask: Ask & { cursor: number }; screen: Size }) {
	const width = Math.min(76, screen.width - 4);
	const room = { width: width - 4, height: screen.height - 2 };
	const whole = dialogLines(ask, ask.choices, room.width);
	// Where there is little room only the choice under the cursor says what it does.
	const body =
		whole.length + 2 <= room.height
			? whole
			: dialogLines(ask, ask.choices.slice(ask.cursor, ask.cursor + 1), room.width);
	const lines = [...body.slice(0, room.height - 2), [], keyLine(ask)];
	const height = lines.length + 2;
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

/** The choices; those in `telling` with what they do. */
function dialogLines({ choices, cursor }: Ask & { cursor: number }, telling: readonly Choice[], cells: number): Line[] {
	return choices.flatMap((choice, i): Line[] => {
		const says = telling.includes(choice) ? wrapText(choice.says, cells - 6) : [];
		return [
			[],
			[
				i === cursor ? "> " : "  ",
				[` ${choice.key} `, "chip"],
				" ",
				[choice.label, choice.command ? "strong" : "quiet"],
			],
			...says.map((text): Line => [`      ${text}`]),
		];
	});
}

function keyLine({ choices }: Ask): Line {
	return [
		["Enter", "accent"],
		" does it",
		choices.length > 1 ? ", j and k choose" : "",
		", ",
		["Esc", "accent"],
		" does nothing",
	];
}
