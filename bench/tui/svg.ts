/**
 * A terminal's screen as an SVG picture. Letters are text; frames, bars and charts are shapes on the grid of cells, so
 * that the picture looks the same with every font.
 */
import type { IBufferCell, Terminal } from "@xterm/headless";

const CELL = { width: 8.4, height: 17 };
const MARGIN = 14;
const FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const BACKGROUND = "#16181d";
const FOREGROUND = "#d6d9e0";
/** The sixteen colours of the picture's terminal, by their number. */
const PALETTE = [
	"#16181d",
	"#f07178",
	"#9ccc65",
	"#e5c07b",
	"#61afef",
	"#c792ea",
	"#56c8d8",
	"#d6d9e0",
	"#5c6370",
	"#ff8b92",
	"#b5e07a",
	"#ffd68a",
	"#82c4ff",
	"#dba7ff",
	"#7be0ee",
	"#ffffff",
];

interface Style {
	ink: string;
	paper: string | undefined;
	bold: boolean;
	opacity: number;
}

export function svg(terminal: Terminal): string {
	const { cols, rows, buffer } = terminal;
	const size = [cols * CELL.width + 2 * MARGIN, rows * CELL.height + 2 * MARGIN].map(fixed);
	const shapes: string[] = [];
	for (let y = 0; y < rows; y++) {
		const line = buffer.active.getLine(buffer.active.baseY + y);
		let run: { x: number; text: string; style: Style } | undefined;
		const flush = () => {
			if (run?.text.trim()) shapes.push(text(run.x, y, run.text, run.style));
			run = undefined;
		};
		for (let x = 0; x < cols; x++) {
			const cell = line?.getCell(x);
			if (!cell || cell.getWidth() === 0) continue;
			const style = styleOf(cell);
			const characters = cell.getChars() || " ";
			if (style.paper) shapes.push(rect(x, y, 0, 0, cell.getWidth(), 1, style.paper, 1));
			const shape = shapeOf(characters, x, y, style);
			if (shape !== undefined) {
				flush();
				shapes.push(shape);
			} else if (run && sameStyle(run.style, style)) run.text += characters;
			else {
				flush();
				run = { x, text: characters, style };
			}
		}
		flush();
	}
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(" ")}" width="${size[0]}" height="${size[1]}">`,
		`<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
		`<g transform="translate(${MARGIN} ${MARGIN})" font-family="${FONTS}" font-size="13.5">`,
		...shapes,
		"</g>",
		"</svg>",
		"",
	].join("\n");
}

function styleOf(cell: IBufferCell): Style {
	const colour = cell.isFgPalette() ? PALETTE[cell.getFgColor()]! : FOREGROUND;
	const isInverse = cell.isInverse() !== 0;
	return {
		ink: isInverse ? BACKGROUND : colour,
		paper: isInverse ? colour : undefined,
		bold: cell.isBold() !== 0,
		opacity: cell.isDim() !== 0 ? 0.6 : 1,
	};
}

function sameStyle(a: Style, b: Style): boolean {
	return a.ink === b.ink && a.paper === b.paper && a.bold === b.bold && a.opacity === b.opacity;
}

function text(x: number, y: number, content: string, { ink, bold, opacity }: Style): string {
	const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
	const [left, baseline, length] = [x * CELL.width, y * CELL.height + 12.5, content.length * CELL.width].map(fixed);
	const place = `x="${left}" y="${baseline}" textLength="${length}"`;
	const look = `fill="${ink}"${bold ? ' font-weight="bold"' : ""}${opacity < 1 ? ` opacity="${opacity}"` : ""}`;
	return `<text ${place} lengthAdjust="spacingAndGlyphs" xml:space="preserve" ${look}>${escaped}</text>`;
}

/** A rectangle, its measures in cells. */
function rect(
	x: number,
	y: number,
	left: number,
	top: number,
	w: number,
	h: number,
	ink: string,
	opacity: number,
): string {
	const place = `x="${fixed((x + left) * CELL.width)}" y="${fixed((y + top) * CELL.height)}"`;
	const size = `width="${fixed(w * CELL.width)}" height="${fixed(h * CELL.height)}"`;
	const look = `fill="${ink}"${opacity < 1 ? ` opacity="${opacity}"` : ""}`;
	return `<rect ${place} ${size} shape-rendering="crispEdges" ${look}/>`;
}

/** Which sides of its cell a character of a frame joins: up, right, down, left. */
const JOINS: Record<string, string> = {
	"─": "rl",
	"━": "rl",
	"╍": "rl",
	"│": "ud",
	"╭": "rd",
	"╮": "dl",
	"╰": "ur",
	"╯": "ul",
};
const EIGHTHS = "▏▎▍▌▋▊▉█";
/** Where the eight dots of a braille cell are, by their bits: column, row. */
const DOTS = [
	[0, 0],
	[0, 1],
	[0, 2],
	[1, 0],
	[1, 1],
	[1, 2],
	[0, 3],
	[1, 3],
] as const;

/** The shape of a character of a frame, a bar or a chart; undefined for a letter. */
function shapeOf(character: string, x: number, y: number, { ink, opacity }: Style): string | undefined {
	const eighths = EIGHTHS.indexOf(character) + 1;
	if (eighths > 0) return rect(x, y, 0, 0.12, eighths / 8, 0.76, ink, opacity);
	if (character === "░") return rect(x, y, 0, 0.12, 1, 0.76, ink, 0.18);
	const joins = JOINS[character];
	if (joins) return path(x, y, joins, character, ink, opacity);
	const bits = character.charCodeAt(0) - 0x2800;
	if (bits < 0 || bits > 0xff) return undefined;
	return DOTS.filter((_, bit) => bits & (1 << bit))
		.map(([column, row]) => {
			const [cx, cy] = [(x + 0.27 + column * 0.5) * CELL.width, (y + 0.14 + row * 0.25) * CELL.height];
			return `<circle cx="${fixed(cx)}" cy="${fixed(cy)}" r="1.35" fill="${ink}" opacity="${opacity}"/>`;
		})
		.join("");
}

function path(x: number, y: number, joins: string, character: string, ink: string, opacity: number): string {
	const [cx, cy] = [(x + 0.5) * CELL.width, (y + 0.5) * CELL.height];
	const ends = {
		u: [cx, y * CELL.height],
		r: [(x + 1) * CELL.width, cy],
		d: [cx, (y + 1) * CELL.height],
		l: [x * CELL.width, cy],
	};
	const [from, to] = [...joins].map((side) => ends[side as keyof typeof ends].map(fixed).join(" "));
	const look = `stroke="${ink}" stroke-width="${character === "━" ? 2.4 : 1.1}" fill="none" opacity="${opacity}"`;
	const dash = character === "╍" ? ' stroke-dasharray="3 2"' : "";
	return `<path d="M${from}Q${fixed(cx)} ${fixed(cy)} ${to}" ${look}${dash}/>`;
}

function fixed(value: number): string {
	return Number(value.toFixed(2)).toString();
}
