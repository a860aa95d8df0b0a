/**
 * A windowed table with the properties of ink-table (https://github.com/maticzav/ink-table): `data`, `columns`,
 * `padding`, `header`, `cell`. Only the rows on the screen are built, so ten thousand rows cost no more than twenty;
 * ink-table itself builds every row and cannot be loaded by a current Ink.
 */
import { padTo, truncate } from "./cells.ts";
import { fitLine, type Line, lineText, type Span } from "./line.ts";
import type { Theme, Tone } from "./theme.ts";

export interface Column<T> {
	name: string;
	/** Cells, without the padding; the one column without a width takes what is left. */
	width?: number;
	align?: "left" | "right";
	text(row: T): string;
}

export interface TableProps<T> {
	data: readonly T[];
	columns: readonly Column<T>[];
	/** Blank cells between columns. */
	padding: number;
	/** The style of the column names. */
	header: Tone;
	/** The style of a cell. */
	cell(row: T, column: Column<T>): Tone | undefined;
	/** Index of the first row on the screen, and of the row the cursor is on. */
	top: number;
	selected?: number;
	/** Size on the screen; the first line is the header. */
	width: number;
	height: number;
}

/** The lines of a table: the header, then the rows in the window. */
export function tableLines<T>(props: TableProps<T>, theme: Theme): Line[] {
	const { data, columns, padding, header, cell, top, selected, width, height } = props;
	const fixed = columns.reduce((sum, column) => sum + (column.width ?? 0), 0) + padding * (columns.length - 1);
	const sizes = columns.map((column) => column.width ?? Math.max(0, width - fixed));
	const gap = " ".repeat(padding);
	const build = (span: (column: Column<T>, cells: number) => Span) =>
		columns.flatMap((column, i) => (i === 0 ? [span(column, sizes[i]!)] : [gap, span(column, sizes[i]!)]));

	const lines: Line[] = [
		build(({ name, align }, cells) => [padTo(name, cells, theme.glyphs.ellipsis, align), header] as const),
	];
	for (let i = top; i < Math.min(data.length, top + height - 1); i++) {
		const row = data[i]!;
		const line = build((column, cells) => {
			const isLast = column === columns.at(-1) && column.align !== "right";
			const text = (isLast ? truncate : padTo)(column.text(row), cells, theme.glyphs.ellipsis, column.align);
			const tone = i === selected ? undefined : cell(row, column);
			return tone ? [text, tone] : text;
		});
		lines.push(i === selected ? [[lineText(fitLine(line, width, "")), "selected"]] : line);
	}
	return lines;
}

/** The first row of a window of `height` rows that shows row `index`; the window moves no further than needed. */
export function scrolled(top: number, index: number, height: number, total: number): number {
	const within = Math.min(Math.max(top, index - height + 1), index);
	return Math.max(0, Math.min(within, total - height));
}
