/**
 * Lines as data: what a panel shows is a list of lines, each a list of spans. Panels build them as plain functions of
 * the state and the size they have; this file measures, cuts and draws them, so no text ever wraps or overflows, and none
 * reaches the terminal that could disturb it.
 */
import { styleText } from "node:util";
import { Text, Transform } from "ink";
import { memo } from "react";
import stringWidth from "string-width";
import { printable } from "../text.ts";
import { type Theme, type Tone, useTheme } from "./theme.ts";

export type Span = string | readonly [text: string, ...tones: Tone[]];
export type Line = readonly Span[];

/** ASCII, the ellipsis, and what the charts and bars are made of: one cell a character, known without measuring. */
const NARROW = /^[ -~\u2026\u2500-\u259f\u2800-\u28ff]*$/;

const graphemes = new Intl.Segmenter();

/** What terminals give one cell, two or none, each as it likes: joiners, variations, skin tones, frames around a letter. */
const DISPUTED = /[\p{C}\p{Variation_Selector}\p{Emoji_Modifier}\p{Me}]/gu;
const LETTER_WITH_MARKS = /^\P{M}\p{Mn}{0,2}$/u;
const FLAG_LETTERS = /\p{Regional_Indicator}/gu;
const FLAG_A = 0x1f1e6;

/**
 * A text from anywhere as it is drawn: no control characters, and nothing whose width terminals dispute. One cell more or
 * less than was counted moves whatever is drawn after it, for good, since only what changed is drawn again.
 */
export function drawn(text: string): string {
	if (NARROW.test(text)) return text;
	const plain = printable(text)
		.normalize("NFC")
		.replace(FLAG_LETTERS, (letter) => String.fromCharCode(65 + letter.codePointAt(0)! - FLAG_A))
		.replace(DISPUTED, "");
	return clusters(plain).map(undisputed).join("");
}

/** A letter with a mark or two is one cell or two everywhere. Letters that are joined otherwise stand by themselves. */
function undisputed(cluster: string): string {
	if (LETTER_WITH_MARKS.test(cluster)) return cluster;
	return clusters(cluster.replace(/\p{M}/gu, "")).map(firstCharacter).join("");
}

function clusters(text: string): string[] {
	return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

const firstCharacter = (text: string) => String.fromCodePoint(text.codePointAt(0)!);

/** Cells a text takes on the screen. */
export function width(text: string): number {
	return NARROW.test(text) ? text.length : stringWidth(drawn(text));
}

export function lineWidth(line: Line): number {
	return line.reduce((sum, span) => sum + width(textOf(span)), 0);
}

export function textOf(span: Span): string {
	return typeof span === "string" ? span : span[0];
}

function retext(span: Span, text: string): Span {
	return typeof span === "string" ? text : [text, ...(span.slice(1) as Tone[])];
}

/** The longest beginning of a text that fits into `cells`. */
export function take(text: string, cells: number): string {
	if (width(text) <= cells) return text;
	if (NARROW.test(text)) return text.slice(0, Math.max(0, cells));
	let taken = "";
	let used = 0;
	for (const cluster of clusters(drawn(text))) {
		used += width(cluster);
		if (used > cells) break;
		taken += cluster;
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
	for (let word of text.split(/\s+/).map(drawn).filter(Boolean)) {
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

/** Words broken into at most `height` lines; where they do not fit an ellipsis says so. `ending` is never cut. */
export function wrapTo(text: string, cells: number, height: number, ellipsis: string, ending = ""): string[] {
	const whole = wrap(text + ending, cells);
	if (whole.length <= height) return whole;
	const lines = wrap(text, cells);
	const last = take(lines[height - 1] ?? "", cells - width(ellipsis + ending)).trimEnd();
	return [...lines.slice(0, height - 1), last + ellipsis + ending];
}

/**
 * A line broken into rows of at most `cells`, at blanks where it can. What `hang` matches at its beginning (an indentation,
 * a number) is left free below it.
 */
export function wrapLine(line: Line, cells: number, hang = /^\s*/): Line[] {
	if (lineWidth(line) <= cells) return [line];
	const spans = line.map((span) => retext(span, drawn(textOf(span))));
	const text = spans.map(textOf).join("");
	const indent = Math.min(width(hang.exec(text)?.[0] ?? ""), Math.floor(cells / 2));
	return rowRanges(text, cells, indent).map(([from, to], i) => {
		const row = sliceLine(spans, from, to);
		return i > 0 && indent > 0 ? [" ".repeat(indent), ...row] : row;
	});
}

/** Where the rows of a text begin and end. The blanks at a break belong to neither row. */
function rowRanges(text: string, cells: number, indent: number): [from: number, to: number][] {
	const rows: [number, number][] = [];
	let [from, used, at] = [0, 0, 0];
	/** The last blank behind a word of this row. */
	let blank: number | undefined;
	let hasWord = false;
	for (const cluster of NARROW.test(text) ? text : clusters(text)) {
		const room = rows.length > 0 ? cells - indent : cells;
		const isBlank = cluster === " ";
		const isLeading = rows.length > 0 && used === 0;
		if (isBlank && (isLeading || (used >= room && hasWord))) {
			if (!isLeading) rows.push([from, at]);
			[from, used, blank, hasWord] = [at + 1, 0, undefined, false];
		} else {
			const size = width(cluster);
			if (used > 0 && used + size > room) {
				rows.push([from, blank ?? at]);
				from = blank === undefined ? at : blank + 1;
				used = width(text.slice(from, at));
				blank = undefined;
			}
			if (isBlank && hasWord) blank = at;
			hasWord ||= !isBlank;
			used += size;
		}
		at += cluster.length;
	}
	if (from < text.length) rows.push([from, text.length]);
	return rows;
}

/** The part of a line between two places in its text. */
export function sliceLine(line: Line, from: number, to: number): Line {
	const kept: Span[] = [];
	let at = 0;
	for (const span of line) {
		const text = textOf(span);
		const part = text.slice(Math.max(0, from - at), Math.max(0, to - at));
		if (part) kept.push(retext(span, part));
		at += text.length;
	}
	return kept;
}

/** The line with its styles as escape sequences. */
function paint(line: Line, { styles }: Theme): string {
	const spans = line.map((span) => {
		if (typeof span === "string") return drawn(span);
		const [text, ...tones] = span;
		const formats = tones.flatMap((tone) => styles[tone]);
		return styleText(formats, drawn(text), { validateStream: false });
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
