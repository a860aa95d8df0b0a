/**
 * Text of programs and files as a prompt quotes it: bounded in length, unable to end its own quotation, and without
 * escape sequences and control characters.
 */
import { printable } from "../../text.ts";

/** Lines without control characters. */
export function clean(text: string): string {
	return text
		.split(/\r\n|\r|\n/)
		.map((line) => printable(line).trimEnd())
		.join("\n");
}

/** The first or last `limit` characters of a text, and how many were cut. */
export function bounded(text: string, limit: number, keep: "start" | "end"): string {
	if (text.length <= limit) return text;
	const cut = `[… ${text.length - limit} characters left out …]`;
	return keep === "start" ? `${text.slice(0, limit)}\n${cut}` : `${cut}\n${text.slice(-limit)}`;
}

/** A data block: at most `limit` characters of a text, from its start or its end. */
export function quote(name: string, text: string, limit: number, keep: "start" | "end" = "start"): string {
	const safe = bounded(clean(text), limit, keep).replace(/<(?=\/?(data|program|file)\b)/gi, "‹");
	return `<data name="${name.replace(/["<>\n]/g, "")}">\n${safe}\n</data>`;
}
