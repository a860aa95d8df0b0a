/** A confirmation with its choices, over the middle of the screen. */
import { Box } from "ink";
import type { Confirmation, ConfirmationChoice } from "./confirmations.ts";
import type { Size } from "./layout.ts";
import type { Line } from "./line.ts";
import { Panel } from "./panel.tsx";
import { Rows } from "./row.tsx";
import { wrapText } from "./wrap.ts";

type OpenConfirmation = Confirmation & { cursor: number };

export function Dialog({ confirmation, screen }: { confirmation: OpenConfirmation; screen: Size }) {
	const { title, choices, cursor } = confirmation;
	const width = Math.min(76, screen.width - 4);
	const room = { width: width - 4, height: screen.height - 2 };
	const whole = dialogLines(confirmation, choices, room.width);
	// On a small screen only the choice under the cursor says what it does.
	const body =
		whole.length + 2 <= room.height ? whole : dialogLines(confirmation, choices.slice(cursor, cursor + 1), room.width);
	const lines = [...body.slice(0, room.height - 2), [], keyLine(confirmation)];
	const height = lines.length + 2;
	const place = {
		position: "absolute",
		flexDirection: "column",
		marginLeft: Math.floor((screen.width - width) / 2),
		marginTop: Math.floor((screen.height - height) / 2),
	} as const;
	// A box is transparent where nothing is written, so blanks cover the screen below it.
	const blanks = Array.from({ length: height }, (): Line => [" ".repeat(width)]);
	return (
		<>
			<Box {...place}>
				<Rows lines={blanks} cells={width} height={height} />
			</Box>
			<Box {...place}>
				<Panel title={[[title, "strong"]]} lines={lines} width={width} height={height} framed />
			</Box>
		</>
	);
}

/** The choices; those in `explained` with their effects. */
function dialogLines(
	{ choices, cursor }: OpenConfirmation,
	explained: readonly ConfirmationChoice[],
	cells: number,
): Line[] {
	return choices.flatMap((choice, i): Line[] => {
		const effect = explained.includes(choice) ? wrapText(choice.effect, cells - 6) : [];
		return [
			[],
			[
				i === cursor ? "> " : "  ",
				[` ${choice.key} `, "chip"],
				" ",
				[choice.label, choice.command ? "strong" : "quiet"],
			],
			...effect.map((text): Line => [`      ${text}`]),
		];
	});
}

function keyLine({ choices }: Confirmation): Line {
	return [
		["Enter", "accent"],
		" does it",
		choices.length > 1 ? ", j and k choose" : "",
		", ",
		["Esc", "accent"],
		" does nothing",
	];
}
