/**
 * Draws lines. The console uses Ink for frames and keys only, not for text layout: each row gives Ink a single blank to
 * lay out and paints the line over it, since its width is known here and measuring it again, cluster by cluster on
 * every frame, costs a third more.
 */
import { styleText } from "node:util";
import { Text, Transform, useIsScreenReaderEnabled } from "ink";
import { memo } from "react";
import { drawable } from "./cells.ts";
import { type Line, lineText, sameLine, truncateLine } from "./line.ts";
import { type Theme, useTheme } from "./theme.ts";

/** The line with its styles as escape sequences. */
function paint(line: Line, { styles }: Theme): string {
	const spans = line.map((span) => {
		if (typeof span === "string") return drawable(span);
		const [text, ...tones] = span;
		const formats = tones.flatMap((tone) => styles[tone]);
		return styleText(formats, drawable(text), { validateStream: false });
	});
	return spans.join("");
}

/** Frames, bars and Braille dots: a screen reader would spell them out. */
const DRAWING = /[\u2500-\u259f\u2800-\u28ff]+/g;

/** The line for a screen reader; Ink shows it when INK_SCREEN_READER=true. */
function screenReaderText(line: Line): string {
	const text = drawable(lineText(line)).replace(DRAWING, " ").replace(/\s+/g, " ").trim();
	const isSelected = line.some((span) => typeof span !== "string" && span[0].trim() && span.includes("selected", 1));
	return isSelected ? `(selected) ${text}` : text;
}

interface RowProps {
	line: Line;
	cells: number;
}

/** Draws one line, cut to `cells`. Panels build new lines for each state; an equal line is not drawn again. */
export const Row = memo(
	function Row({ line, cells }: RowProps) {
		const theme = useTheme();
		const painted = paint(truncateLine(line, cells, theme.glyphs.ellipsis), theme);
		const label = useIsScreenReaderEnabled() ? screenReaderText(line) : undefined;
		return (
			<Transform transform={() => painted} accessibilityLabel={label}>
				<Text> </Text>
			</Transform>
		);
	},
	(a, b) => a.cells === b.cells && sameLine(a.line, b.line),
);

/** Draws lines below each other, and blank ones up to `height`. */
export function Rows({ lines, cells, height }: { lines: readonly Line[]; cells: number; height: number }) {
	return Array.from({ length: height }, (_, i) => (
		// biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
		<Row key={i} line={lines[i] ?? []} cells={cells} />
	));
}
