/**
 * Charts made of characters. A plot is drawn on a grid of dots: eight in a cell with Braille (Unicode 2800-28FF), one
 * in a cell with ASCII. Each run of cells names its series, so that the caller can choose its colour.
 */
export type Point = readonly [x: number, y: number];

export interface Series {
	points: readonly Point[];
	/** `steps` holds each value until the next point; `dashes` is a line with gaps, which differs without colour too. */
	draw: "line" | "dashes" | "steps" | "dots";
	/** The character of this series when only ASCII is allowed. */
	ascii: string;
}

export interface Frame {
	/** Size in cells. */
	width: number;
	height: number;
	/** The values at the edges; points outside are not drawn. */
	x: Point;
	y: Point;
	ascii: boolean;
}

export interface Run {
	text: string;
	/** Index of the series drawn last in these cells; -1 for none. */
	series: number;
}

const BRAILLE = 0x2800;
/** Bit of the dot at [row][column] of a braille cell. */
const DOTS = [
	[0x01, 0x08],
	[0x02, 0x10],
	[0x04, 0x20],
	[0x40, 0x80],
] as const;

/** Draws the series, later ones over earlier ones, as `height` rows; the runs of a row are `width` cells together. */
export function plot(series: readonly Series[], frame: Frame): Run[][] {
	const { width, height, ascii } = frame;
	const [across, down] = ascii ? [1, 1] : [2, 4];
	const bits = new Uint8Array(width * height);
	const owner = new Int8Array(width * height).fill(-1);
	const columns = width * across;
	const rows = height * down;

	series.forEach(({ points, draw }, index) => {
		const dot = (column: number, row: number) => {
			if (column < 0 || column >= columns || row < 0 || row >= rows) return;
			if (draw === "dashes" && !ascii && column % 4 >= 2) return;
			const cell = Math.floor(row / down) * width + Math.floor(column / across);
			// A cell has one colour, so the dots of the series below are dropped.
			if (owner[cell] !== index) bits[cell] = 0;
			owner[cell] = index;
			bits[cell]! |= ascii ? 1 : DOTS[row % 4]![column % 2]!;
		};
		let previous: [number, number] | undefined;
		for (const [x, y] of points) {
			if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
			const column = Math.round(scale(x, frame.x) * (columns - 1));
			const row = Math.round((1 - scale(y, frame.y)) * (rows - 1));
			if (draw === "dots" || !previous) dot(column, row);
			else if (draw === "steps") {
				line(previous[0], previous[1], column, previous[1], dot);
				line(column, previous[1], column, row, dot);
			} else line(previous[0], previous[1], column, row, dot);
			previous = [column, row];
		}
	});

	return Array.from({ length: height }, (_, row) => {
		const runs: Run[] = [];
		for (let cell = row * width; cell < (row + 1) * width; cell++) {
			const mine = owner[cell]!;
			const drawn = ascii ? series[mine]?.ascii : String.fromCharCode(BRAILLE + bits[cell]!);
			const text = mine < 0 ? " " : (drawn ?? " ");
			const last = runs.at(-1);
			if (last?.series === mine) last.text += text;
			else runs.push({ text, series: mine });
		}
		return runs;
	});
}

function scale(value: number, [from, to]: Point): number {
	return to === from ? 0.5 : (value - from) / (to - from);
}

/** A straight line, one dot at a time. An end may lie far outside the frame, so the number of dots is bounded. */
function line(x0: number, y0: number, x1: number, y1: number, dot: (x: number, y: number) => void): void {
	const steps = Math.min(4096, Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0)));
	for (let i = 0; i <= steps; i++) {
		const t = steps === 0 ? 0 : i / steps;
		dot(Math.round(x0 + (x1 - x0) * t), Math.round(y0 + (y1 - y0) * t));
	}
}

/** The range widened to round numbers, so that the scale does not move with every new point. */
export function bounds(low: number, high: number): [number, number] {
	if (!(low < high)) return [low - Math.max(1e-6, Math.abs(low) * 0.01), high + Math.max(1e-6, Math.abs(high) * 0.01)];
	const step = 10 ** Math.floor(Math.log10(high - low)) / 2;
	return [Math.floor(low / step) * step, Math.ceil(high / step) * step];
}

/** The value before which `share` (0 to 1) of the values come in an order, by size if none is given; NaN for none. */
export function quantile(
	values: readonly number[],
	share: number,
	order: (a: number, b: number) => number = (a, b) => a - b,
): number {
	const sorted = values.toSorted(order);
	return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))] ?? Number.NaN;
}
