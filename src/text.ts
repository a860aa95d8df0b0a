/** Text from outside (a model, a log, a person) made safe for a terminal, a table and a prompt. */
import { stripVTControlCharacters } from "node:util";

/**
 * Text without escape sequences, control characters and invisible format characters such as bidirectional overrides;
 * tabs become spaces. Where a line overwrites itself with carriage returns, its last state stays, as on a terminal.
 */
export function printable(text: string): string {
	const last = text.replace(/\r+$/, "").split("\r").at(-1) ?? "";
	return stripVTControlCharacters(last)
		.replaceAll("\t", "    ")
		.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "");
}

/**
 * The same as one line: every run of white space is one blank. At most `limit` characters, the last a mark of the cut.
 */
export function oneLine(text: string, limit = Number.POSITIVE_INFINITY): string {
	const line = printable(text.replace(/\s+/g, " ")).trim();
	return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}
