/**
 * Lines as data: what a panel shows is a list of lines, each a list of spans. Panels build them as plain functions of
 * the state and the size they have; this file measures, cuts and draws them, so no text ever wraps or overflows.
 */
import { styleText } from "node:util";
import { Text, Transform } from "ink";
import { memo } from "react";
import stringWidth from "string-width";
import { type Theme, type Tone, useTheme } from "./theme.ts";

export type Span = string | readonly [text: string, ...tones: Tone[]];
export type Line = readonly Span[];

/** ASCII, and what the charts and bars are made of: one cell a character, known without measuring. */
const NARROW = /^[ -~\u2500-\u259f\u2800-\u28ff]*$/;

/** Cells a text takes on the screen. */
export function width(text: string): number {
	return NARROW.test(text) ? text.length : stringWidth(text);
}

export function lineWidth(line: Line): number {
	return line.reduce((sum, span) => sum + width(textOf(span)), 0);
}

function textOf(span: Span): string {
	return typeof span === "string" ? span : span[0];
}

function retext(span: Span, text: string): Span {
	return typeof span === "string" ? text : [text, ...(span.slice(1) as Tone[])];
}

const graphemes = new Intl.Segmenter();

/** The longest beginning of a text that fits into `cells`. */
export function take(text: string, cells: number): string {
	if (width(text) <= cells) return text;
	if (NARROW.test(text)) return text.slice(0, Math.max(0, cells));
	let taken = "";
	let used = 0;
	for (const { segment } of graphemes.segment(text)) {
		used += width(segment);
		if (used > cells) break;
		taken += segment;
	}
	return taken;
}

/** A text cut to `cells`, with an ellipsis where something is missing. */
export function cut(text: string, cells: number, ellipsis: string): string {
	return width(text) <= cells ? text : take(text, cells - 1) + (cells > 0 ? ellipsis : "");
}

/** A text cut or padded to exactly `cells`. */
export function pad(text: string, cells: number, ellipsis: string, align: "left" | "right" = "left"): string {
	const fitted = cut(text, cells, ellipsis);
	const space = " ".repeat(Math.max(0, cells - width(fitted)));
	return align === "left" ? fitted + space : space + fitted;
}

/** A line cut to at most `cells`. */
export function cutLine(line: Line, cells: number, ellipsis: string): Line {
	if (lineWidth(line) <= cells) return line;
	const kept: Span[] = [];
	let left = cells;
	for (const span of line) {
		const text = textOf(span);
		const size = width(text);
		if (size < left) {
			kept.push(span);
			left -= size;
			continue;
		}
		// Full to the last cell with more to come, or too long: either way something is cut here.
		if (left > 0) kept.push(retext(span, take(text, left - 1) + ellipsis));
		break;
	}
	return kept;
}

/** A line cut or padded to exactly `cells`. */
export function fit(line: Line, cells: number, ellipsis: string): Line {
	const kept = cutLine(line, cells, ellipsis);
	const space = cells - lineWidth(kept);
	return space > 0 ? [...kept, " ".repeat(space)] : kept;
}

/** One line from two: `left` begins it and is cut when both do not fit, `right` ends it. */
export function spread(left: Line, right: Line, cells: number, ellipsis: string): Line {
	const end = lineWidth(right);
	if (end === 0 || end + 2 > cells) return fit(left, cells, ellipsis);
	return [...fit(left, cells - end - 1, ellipsis), " ", ...right];
}

/** Words broken into lines of at most `cells`; a word that is longer is broken where it must be. */
export function wrap(text: string, cells: number): string[] {
	const lines: string[] = [];
	let line = "";
	for (let word of text.split(/\s+/).filter(Boolean)) {
		if (line && width(line) + 1 + width(word) <= cells) {
			line += ` ${word}`;
			continue;
		}
		if (line) lines.push(line);
		while (width(word) > cells) {
			const head = take(word, cells);
			if (!head) break;
			lines.push(head);
			word = word.slice(head.length);
		}
		line = word;
	}
	return line ? [...lines, line] : lines;
}

/** The line with its styles as escape sequences. */
function paint(line: Line, { styles }: Theme): string {
	const spans = line.map((span) => {
		if (typeof span === "string") return span;
		const [text, ...tones] = span;
		const formats = tones.flatMap((tone) => styles[tone]);
		return styleText(formats, text, { validateStream: false });
	});
	return spans.join("");
}

/**
 * Draws one line, cut to `cells`. Ink lays out a single blank and the painted line takes its place afterwards: its width is
 * known here, and to have Ink measure it too, cluster by cluster on every frame, costs a third more.
 */
export const Row = memo(function Row({ line, cells }: RowProps) {
	const theme = useTheme();
	const painted = paint(cutLine(line, cells, theme.glyphs.ellipsis), theme);
	return (
		<Transform transform={() => painted}>
			<Text> </Text>
		</Transform>
	);
}, sameRow);

type RowProps = { line: Line; cells: number };

/** Panels build their lines anew for each state; what reads the same need not be drawn again. */
function sameRow(a: RowProps, b: RowProps): boolean {
	if (a.cells !== b.cells || a.line.length !== b.line.length) return false;
	return a.line.every((span, i) => {
		const other = b.line[i]!;
		if (typeof span === "string" || typeof other === "string") return span === other;
		return span.length === other.length && span.every((part, j) => part === other[j]);
	});
}

/** Draws lines below each other, and blank ones up to `height`. */
export function Rows({ lines, cells, height }: { lines: readonly Line[]; cells: number; height: number }) {
	return Array.from({ length: height }, (_, i) => (
		// biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
		<Row key={i} line={lines[i] ?? []} cells={cells} />
	));
}
