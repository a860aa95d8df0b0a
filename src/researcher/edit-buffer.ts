/** The editable files with the edits of a proposal that is being written. Nothing here touches a disk. */
import { type Brief, Rejection, type SourceFile } from "./researcher.ts";

/** A rejection names at most so many of the lines where a text occurs. */
const NAMED_LINES = 5;

export class EditBuffer {
	/** The brief's texts of the editable files, by path. */
	readonly base: ReadonlyMap<string, string>;
	readonly #start: ReadonlyMap<string, string>;
	#texts: ReadonlyMap<string, string>;

	/** @param start the texts to begin with, when they are not the brief's: those of a proposal to be repaired */
	constructor({ files }: Pick<Brief, "files">, start: readonly SourceFile[] = []) {
		this.base = new Map(files.map(({ path, text }) => [path, text]));
		this.#start = new Map([...this.base, ...start.map(({ path, text }): [string, string] => [path, text])]);
		this.#texts = this.#start;
	}

	/** The files that differ from the brief's. */
	get files(): SourceFile[] {
		return changedFiles(this.base, this.#texts);
	}

	/** Whether the texts differ from the brief's and from those it began with. */
	get isEdited(): boolean {
		return this.files.length > 0 && changedFiles(this.#start, this.#texts).length > 0;
	}

	/** The present text of an editable file; undefined for any other. */
	read(path: string): string | undefined {
		return this.#texts.get(path);
	}

	/**
	 * Replaces the one place where `old` occurs.
	 * @param path may be left out where only one file may be edited
	 * @throws Rejection that says what to do when there is no such place or several
	 */
	edit(path: string | undefined, old: string, replacement: string): void {
		this.#texts = this.#edited(path, old, replacement);
	}

	/** Takes over the text that an editable file was given elsewhere. */
	replace(path: string, text: string): void {
		this.#texts = new Map(this.#texts).set(path, text);
	}

	/** The files as they would be after an edit that is still being written; undefined while it does not fit. */
	preview(path: string | undefined, old: string, replacement: string): SourceFile[] | undefined {
		try {
			return changedFiles(this.base, this.#edited(path, old, replacement));
		} catch {
			return undefined;
		}
	}

	#edited(path = [...this.base.keys()][0]!, old: string, replacement: string): Map<string, string> {
		const text = this.#texts.get(path);
		if (text === undefined) throw new Rejection(mayNotEdit(path, [...this.base.keys()]));
		if (old === "") throw new Rejection("`old` is empty: copy the text that is to be replaced from the file.");
		if (old === replacement) throw new Rejection("`old` and `new` are the same: nothing would change.");
		const [place, ...more] = occurrences(text, old);
		if (!place) throw new Rejection(`\`old\` does not occur in ${path}. ${nearest(text, old)}`);
		if (more.length > 0) {
			const lines = [place, ...more].slice(0, NAMED_LINES).map(({ start }) => lineOf(text, start));
			throw new Rejection(
				`\`old\` occurs more than once in ${path} (lines ${lines.join(", ")}): copy more of its surroundings.`,
			);
		}
		const inserted = replacement.replace(/\r?\n/g, text.includes("\r\n") ? "\r\n" : "\n");
		return new Map(this.#texts).set(path, text.slice(0, place.start) + inserted + text.slice(place.end));
	}
}

export function mayNotEdit(path: string, editable: readonly string[]): string {
	return `${path} may not be edited; only ${editable.join(", ")} may.`;
}

function changedFiles(base: ReadonlyMap<string, string>, texts: ReadonlyMap<string, string>): SourceFile[] {
	return [...texts].flatMap(([path, text]) => (text === base.get(path) ? [] : [{ path, text }]));
}

/** Where a part occurs in a text, whatever the line ends of either. */
function occurrences(text: string, part: string): { start: number; end: number }[] {
	const lines = part.split(/\r?\n/).map((line) => line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
	// A lookahead finds places that overlap too.
	const pattern = new RegExp(`(?=(${lines.join("\\r?\\n")}))`, "g");
	return [...text.matchAll(pattern)].map(({ index, 1: found }) => ({ start: index, end: index + found!.length }));
}

/** Where a text that was not copied exactly was probably copied from. */
function nearest(text: string, old: string): string {
	const squeeze = (line: string) => line.replace(/\s+/g, "");
	const wanted = old.split("\n").map(squeeze).filter(Boolean);
	const lines = text.split("\n");
	const at = lines.findIndex((line) => squeeze(line) === wanted[0]);
	if (at < 0) return "Copy it exactly from the file, which `read_file` shows with your edits so far.";
	const excerpt = lines.slice(at, at + wanted.length + 1).join("\n");
	return `Its first line is like line ${at + 1}, where the file says:\n${excerpt}`;
}

function lineOf(text: string, at: number): number {
	return text.slice(0, at).split("\n").length;
}
