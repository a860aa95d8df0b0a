/**
 * Lines as data. A panel shows a list of lines, each a list of spans; panels build them with plain functions of the
 * state and of the size they have. row.tsx draws them.
 */
import { cellWidth, takeCells } from "./cells.ts";
import type { Tone } from "./theme.ts";

export type Span = string | readonly [text: string, ...tones: Tone[]];
export type Line = readonly Span[];

export function spanText(span: Span): string {
	return typeof span === "string" ? span : span[0];
}

/** The span with another text in the same style. */
export function withText(span: Span, text: string): Span {
	return typeof span === "string" ? text : [text, ...(span.slice(1) as Tone[])];
}

export function lineText(line: Line): string {
	return line.map(spanText).join("");
}

/** The number of cells a line takes. */
export function lineWidth(line: Line): number {
	return line.reduce((sum, span) => sum + cellWidth(spanText(span)), 0);
}

/** A line cut to at most `cells`. */
export function truncateLine(line: Line, cells: number, ellipsis: string): Line {
	if (lineWidth(line) <= cells) return line;
	const kept: Span[] = [];
	let left = cells;
	for (const span of line) {
		const text = spanText(span);
		const size = cellWidth(text);
		if (size < left) {
			kept.push(span);
			left -= size;
			continue;
		}
		// This span fills or exceeds what is left and the line is too long, so the ellipsis goes here.
		if (left > 0) kept.push(withText(span, takeCells(text, left - 1) + ellipsis));
		break;
	}
	return kept;
}

/** A line cut or padded to exactly `cells`. */
export function fitLine(line: Line, cells: number, ellipsis: string): Line {
	const kept = truncateLine(line, cells, ellipsis);
	const space = cells - lineWidth(kept);
	return space > 0 ? [...kept, " ".repeat(space)] : kept;
}

/** One line with `left` at its beginning and `right` at its end; `left` is cut when both do not fit. */
export function spreadLine(left: Line, right: Line, cells: number, ellipsis: string): Line {
	const end = lineWidth(right);
	if (end === 0 || end + 2 > cells) return fitLine(left, cells, ellipsis);
	return [...fitLine(left, cells - end - 1, ellipsis), " ", ...right];
}

/** The part of a line between two positions in its text. */
export function sliceLine(line: Line, from: number, to: number): Line {
	const kept: Span[] = [];
	let at = 0;
	for (const span of line) {
		const text = spanText(span);
		const part = text.slice(Math.max(0, from - at), Math.max(0, to - at));
		if (part) kept.push(withText(span, part));
		at += text.length;
	}
	return kept;
}

/** Whether two lines have the same text and styles. */
export function sameLine(a: Line, b: Line): boolean {
	if (a.length !== b.length) return false;
	return a.every((span, i) => {
		const other = b[i]!;
		if (typeof span === "string" || typeof other === "string") return span === other;
		return span.length === other.length && span.every((part, j) => part === other[j]);
	});
}
