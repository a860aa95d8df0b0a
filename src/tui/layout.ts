/** How the screen is divided, by its size and by whether a proposal awaits approval. */

export interface Size {
	width: number;
	height: number;
}

export interface ScreenSize extends Size {
	/** Panels below each other and without frames, however wide the screen is: a screen reader reads line by line. */
	stacked?: boolean;
}

export interface Layout extends Size {
	/** The screen is smaller than SMALLEST. */
	tooSmall: boolean;
	/** Panels have frames and are side by side; otherwise they have rules and are below each other. */
	framed: boolean;
	/** The part between the header and the lines at the bottom. */
	body: Size;
	/** The panels of the overview; one without height is left out. */
	training: Size;
	proposal: Size;
	table: Size;
	chart: Size;
	notices: Size;
}

export const SMALLEST: Size = { width: 60, height: 14 };

/** Lines of the header, and of the program.md line, the notice line and the footer. */
const HEADER_LINES = 2;
const BOTTOM_LINES = 3;
const NONE: Size = { width: 0, height: 0 };

/** A proposal that awaits approval gets more room, so that it can be read. */
export function layout({ width, height, stacked }: ScreenSize, awaitsApproval: boolean): Layout {
	const body = { width, height: Math.max(0, height - HEADER_LINES - BOTTOM_LINES) };
	const tooSmall = width < SMALLEST.width || height < SMALLEST.height;
	if (stacked || width < 100 || height < 30) {
		const isLow = body.height < 14;
		const training = { width, height: awaitsApproval ? 2 : 3 };
		const share = awaitsApproval ? (isLow ? 1 : 0.75) : isLow ? 0 : 0.3;
		const proposal = { width, height: Math.min(body.height - training.height, Math.round(body.height * share)) };
		const table = { width, height: Math.max(0, body.height - training.height - proposal.height) };
		return { width, height, tooSmall, framed: false, body, training, proposal, table, chart: NONE, notices: NONE };
	}
	const left = Math.round(width * 0.57);
	const right = width - left;
	const top = Math.round(body.height * 0.44);
	const bottom = body.height - top;
	const proposal = { width: left, height: awaitsApproval ? Math.round(body.height * 0.7) : top };
	const noticesHeight = bottom >= 26 ? 9 : 0;
	return {
		width,
		height,
		tooSmall,
		framed: true,
		body,
		proposal,
		training: { width: right, height: top },
		table: { width: left, height: body.height - proposal.height },
		chart: { width: right, height: bottom - noticesHeight },
		notices: noticesHeight > 0 ? { width: right, height: noticesHeight } : NONE,
	};
}

/** The room inside a panel of this size: without its frame, or without the rule above it. */
export function inside({ width, height, framed }: Size & { framed: boolean }): Size {
	return framed ? { width: width - 4, height: Math.max(0, height - 2) } : { width, height: Math.max(0, height - 1) };
}

/** How many experiments a table of this size shows: its first line is the header. */
export function rowsIn(table: Size, framed: boolean): number {
	return Math.max(1, inside({ ...table, framed }).height - 1);
}
