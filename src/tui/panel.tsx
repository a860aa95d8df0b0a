/** A titled part of the screen: with a frame on a large screen, under a rule on a small one. */
import { Box } from "ink";
import { inside } from "./layout.ts";
import { fitLine, type Line, lineWidth } from "./line.ts";
import { Row, Rows } from "./row.tsx";
import { type Theme, useTheme } from "./theme.ts";

export interface PanelProps {
	title: Line;
	/** At the right end of the title. */
	aside?: Line;
	lines: readonly Line[];
	/** Size with the frame. */
	width: number;
	height: number;
	framed: boolean;
}

export function Panel(props: PanelProps) {
	const theme = useTheme();
	const { lines, width, framed } = props;
	const room = inside(props);
	return (
		<Box flexDirection="column" width={width}>
			<Row line={titleLine(props, theme)} cells={width} />
			{framed ? (
				// Ink's border is cheaper than a border in the text, which Ink would measure cluster by cluster on each frame.
				<Box flexDirection="column" borderStyle={theme.border} borderTop={false} borderDimColor paddingX={1}>
					<Rows lines={lines} cells={room.width} height={room.height} />
				</Box>
			) : (
				<Rows lines={lines} cells={room.width} height={room.height} />
			)}
		</Box>
	);
}

/** The upper edge: a rule with the title in it. */
function titleLine({ title, aside = [], width, framed }: PanelProps, { border, glyphs }: Theme): Line {
	const end: Line = lineWidth(aside) > 0 ? [" ", ...aside, " "] : [];
	const name = fitTitle(title, width - 6 - lineWidth(end), glyphs.ellipsis);
	const rule = border.top.repeat(Math.max(0, width - 4 - lineWidth(name) - lineWidth(end)));
	const left = framed ? border.topLeft : border.top;
	const right = framed ? border.topRight : border.top;
	return [[left + border.top, "quiet"], ...name, [rule, "quiet"], ...end, [border.top + right, "quiet"]];
}

function fitTitle(title: Line, cells: number, ellipsis: string): Line {
	const room = Math.max(0, Math.min(cells, lineWidth(title)));
	return room > 0 ? [" ", ...fitLine(title, room, ellipsis), " "] : [];
}
