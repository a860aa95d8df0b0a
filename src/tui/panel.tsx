/** A titled part of the screen: framed where there is room, under a rule where there is not. */
import { fit, type Line, lineWidth, Rows, spread } from "./line.tsx";
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

export interface Inside {
	width: number;
	height: number;
}

/** The room a panel of this size has inside. */
export function inside({ width, height, framed }: { width: number; height: number; framed: boolean }): Inside {
	return framed ? { width: width - 4, height: Math.max(0, height - 2) } : { width, height: Math.max(0, height - 1) };
}

export function Panel(props: PanelProps) {
	return <Rows lines={panelLines(props, useTheme())} cells={props.width} height={props.height} />;
}

export function panelLines(props: PanelProps, { glyphs }: Theme): Line[] {
	const { title, aside = [], lines, width, framed } = props;
	const [topLeft, topRight, bottomLeft, bottomRight, horizontal, vertical] = glyphs.frame;
	const room = inside(props);
	const end: Line = lineWidth(aside) > 0 ? [" ", ...aside, " "] : [];
	const name = fitTitle(title, width - 6 - lineWidth(end), glyphs.ellipsis);
	const rule = horizontal.repeat(Math.max(0, width - 4 - lineWidth(name) - lineWidth(end)));
	const left = framed ? topLeft : horizontal;
	const right = framed ? topRight : horizontal;
	const top: Line = [[left + horizontal, "quiet"], ...name, [rule, "quiet"], ...end, [horizontal + right, "quiet"]];
	const body = Array.from({ length: room.height }, (_, i) => lines[i] ?? []);
	if (!framed) return [top, ...body];
	return [
		top,
		...body.map(
			(line): Line => [[`${vertical} `, "quiet"], ...fit(line, room.width, glyphs.ellipsis), [` ${vertical}`, "quiet"]],
		),
		[[bottomLeft + horizontal.repeat(Math.max(0, width - 2)) + bottomRight, "quiet"]],
	];
}

function fitTitle(title: Line, cells: number, ellipsis: string): Line {
	const room = Math.max(0, Math.min(cells, lineWidth(title)));
	return room > 0 ? [" ", ...spread(title, [], room, ellipsis), " "] : [];
}
