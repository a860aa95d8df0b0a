/** Breaks text and lines into rows of a given number of cells. */
import { cellWidth, clusters, drawable, takeCells } from "./cells.ts";
import { type Line, lineText, lineWidth, sliceLine, spanText, withText } from "./line.ts";

/** Words broken into lines of at most `cells`; a longer word is broken inside. */
export function wrapText(text: string, cells: number): string[] {
	const lines: string[] = [];
	let line = "";
	for (let word of text.split(/\s+/).map(drawable).filter(Boolean)) {
		if (line && cellWidth(line) + 1 + cellWidth(word) <= cells) {
			line += ` ${word}`;
			continue;
		}
		if (line) lines.push(line);
		while (cellWidth(word) > cells) {
			const head = takeCells(word, cells);
			if (!head) break;
			lines.push(head);
			word = word.slice(head.length);
		}
		line = word;
	}
	return line ? [...lines, line] : lines;
}

/** Words broken into at most `height` lines, with an ellipsis when they do not fit. `ending` is never cut. */
export function wrapTextTo(text: string, cells: number, height: number, ellipsis: string, ending = ""): string[] {
	const whole = wrapText(text + ending, cells);
	if (whole.length <= height) return whole;
	const lines = wrapText(text, cells);
	const last = takeCells(lines[height - 1] ?? "", cells - cellWidth(ellipsis + ending)).trimEnd();
	return [...lines.slice(0, height - 1), last + ellipsis + ending];
}

/**
 * A line broken into rows of at most `cells`, at blanks where possible. The rows after the first are indented by the
 * width of what `hang` matches at the line's beginning (an indentation, a line number).
 */
export function wrapLine(line: Line, cells: number, hang = /^\s*/): Line[] {
	if (lineWidth(line) <= cells) return [line];
	const spans = line.map((span) => withText(span, drawable(spanText(span))));
	const text = lineText(spans);
	const indent = Math.min(cellWidth(hang.exec(text)?.[0] ?? ""), Math.floor(cells / 2));
	return rowRanges(text, cells, indent).map(([from, to], i) => {
		const row = sliceLine(spans, from, to);
		return i > 0 && indent > 0 ? [" ".repeat(indent), ...row] : row;
	});
}

/** Where the rows of a text begin and end. The blanks at a break belong to neither row. */
function rowRanges(text: string, cells: number, indent: number): [from: number, to: number][] {
	const rows: [number, number][] = [];
	let [from, used, at] = [0, 0, 0];
	/** The last blank after a word of this row. */
	let blank: number | undefined;
	let hasWord = false;
	for (const cluster of clusters(text)) {
		const room = rows.length > 0 ? cells - indent : cells;
		const isBlank = cluster === " ";
		const isLeading = rows.length > 0 && used === 0;
		if (isBlank && (isLeading || (used >= room && hasWord))) {
			if (!isLeading) rows.push([from, at]);
			[from, used, blank, hasWord] = [at + 1, 0, undefined, false];
		} else {
			const size = cellWidth(cluster);
			if (used > 0 && used + size > room) {
				rows.push([from, blank ?? at]);
				from = blank === undefined ? at : blank + 1;
				used = cellWidth(text.slice(from, at));
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
