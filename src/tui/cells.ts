/**
 * Measures and cuts text in terminal cells. Text from outside is first reduced to what every terminal draws with the
 * same width, so that no text wraps, overflows or moves what is drawn after it.
 */
import stringWidth from "string-width";
import { printable } from "../text.ts";

/** ASCII, the ellipsis, and the characters of charts and bars: one cell each, known without measuring. */
const NARROW = /^[ -~\u2026\u2500-\u259f\u2800-\u28ff]*$/;

const graphemes = new Intl.Segmenter();

/** Characters whose width differs between terminals: joiners, variation selectors, skin tones, enclosing marks. */
const DISPUTED = /[\p{C}\p{Variation_Selector}\p{Emoji_Modifier}\p{Me}]/gu;
const LETTER_WITH_MARKS = /^\P{M}\p{Mn}{0,2}$/u;
const FLAG_LETTERS = /\p{Regional_Indicator}/gu;
const FLAG_A = 0x1f1e6;

/**
 * The text without control characters and without anything whose width differs between terminals. A width that is off
 * by one cell would displace the rest of its row permanently, since only changed cells are drawn again.
 */
export function drawable(text: string): string {
	if (isNarrow(text)) return text;
	const plain = printable(text)
		.normalize("NFC")
		.replace(FLAG_LETTERS, (letter) => String.fromCharCode(65 + letter.codePointAt(0)! - FLAG_A))
		.replace(DISPUTED, "");
	return clusters(plain).map(undisputed).join("");
}

/** A letter with one or two marks has the same width everywhere; other clusters are split into their letters. */
function undisputed(cluster: string): string {
	if (LETTER_WITH_MARKS.test(cluster)) return cluster;
	return clusters(cluster.replace(/\p{M}/gu, "")).map(firstCharacter).join("");
}

/** The grapheme clusters of a text: what a reader sees as single characters. */
export function clusters(text: string): string[] {
	if (isNarrow(text)) return text.split("");
	return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

const isNarrow = (text: string) => NARROW.test(text);
const firstCharacter = (text: string) => String.fromCodePoint(text.codePointAt(0)!);

/** The number of cells a text takes on the screen. */
export function cellWidth(text: string): number {
	return isNarrow(text) ? text.length : stringWidth(drawable(text));
}

/** The longest beginning of a text that fits into `cells`. */
export function takeCells(text: string, cells: number): string {
	if (cellWidth(text) <= cells) return text;
	if (isNarrow(text)) return text.slice(0, Math.max(0, cells));
	let taken = "";
	let used = 0;
	for (const cluster of clusters(drawable(text))) {
		used += cellWidth(cluster);
		if (used > cells) break;
		taken += cluster;
	}
	return taken;
}

/** A text cut to `cells`, with an ellipsis where something is missing. */
export function truncate(text: string, cells: number, ellipsis: string): string {
	return cellWidth(text) <= cells ? text : takeCells(text, cells - 1) + (cells > 0 ? ellipsis : "");
}

/** A text cut or padded to exactly `cells`. */
export function padTo(text: string, cells: number, ellipsis: string, align: "left" | "right" = "left"): string {
	const kept = truncate(text, cells, ellipsis);
	const space = " ".repeat(Math.max(0, cells - cellWidth(kept)));
	return align === "left" ? kept + space : space + kept;
}
