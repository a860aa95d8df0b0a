/**
 * A proposal on its way: the editable files with the edits so far, and what stands against submitting them. Nothing here
 * touches a disk.
 */
import { createTwoFilesPatch } from "diff";
import type { Change } from "../journal/events.ts";
import { oneLine } from "./brief/quote.ts";
import type { Brief, Evidence, Proposal, SourceFile } from "./researcher.ts";
import { type Constant, readConstants, SyntaxProblem } from "./search/constants.ts";
import { traceTrials } from "./search/trials.ts";

/** Why an edit or a submission is not accepted; told to the researcher, who may do better. */
export class Rejection extends Error {
	override readonly name = "Rejection";
}

const TITLE_LIMIT = 100;
const HYPOTHESIS_LIMIT = 1000;
/** A rejection names at most so many of the lines where a text occurs. */
const NAMED_LINES = 5;
/** Experiments whose diffs are compared with a draft's, newest first. */
const COMPARED = 40;

export class Draft {
	/** The brief's texts of the editable files, by path. */
	readonly base: ReadonlyMap<string, string>;
	readonly #brief: Brief;
	/** What a submission must differ from: the base, or the files that crashed. */
	readonly #before: ReadonlyMap<string, string>;
	#texts: ReadonlyMap<string, string>;

	/** @param start the texts to begin with, when they are not the brief's: those of a proposal to be repaired */
	constructor(brief: Brief, start: readonly SourceFile[] = []) {
		this.#brief = brief;
		this.base = new Map(brief.files.map(({ path, text }) => [path, text]));
		this.#before = new Map([...this.base, ...start.map(({ path, text }): [string, string] => [path, text])]);
		this.#texts = this.#before;
	}

	/** The files that differ from the brief's. */
	get files(): SourceFile[] {
		return changedFiles(this.base, this.#texts);
	}

	/** The present text of an editable file; undefined for any other. */
	read(path: string): string | undefined {
		return this.#texts.get(path);
	}

	/** Replaces the one place where `old` occurs. Throws a Rejection that says what to do when there is none or several. */
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
		if (text === undefined) {
			throw new Rejection(`${path} may not be edited; only ${[...this.base.keys()].join(", ")} may.`);
		}
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

	/**
	 * The finished proposal. Throws a Rejection for a draft without edits, with a file that does not parse, or that
	 * repeats an experiment.
	 */
	async submit(title: string, hypothesis: string, evidence?: Evidence): Promise<Omit<Proposal, "expectedGain">> {
		const { files } = this;
		if (files.length === 0 || changedFiles(this.#before, this.#texts).length === 0) {
			throw new Rejection("Nothing has been edited: change the file before you submit.");
		}
		for (const { path, text } of files) checkSyntax(path, text);
		const changes = files.flatMap(({ path, text }) => changedConstants(path, this.base.get(path)!, text));
		await this.#rejectRepeat(changes, evidence);
		const subject = oneLine(title, TITLE_LIMIT).replace(/\.$/, "");
		if (!subject) throw new Rejection("The title is empty.");
		return { title: subject, hypothesis: oneLine(hypothesis, HYPOTHESIS_LIMIT), files, changes };
	}

	async #rejectRepeat(changes: Change[], evidence: Evidence | undefined): Promise<void> {
		const { history, pending = [], best } = this.#brief;
		const repeat = (n: number) =>
			new Rejection(`This repeats experiment ${n}, which is in the history. Propose something that was not tried.`);
		const constants = this.#brief.files.flatMap(({ path, text }) => constantsOf(path, text));
		if (onlyConstants(this.#brief.files, this.files)) {
			const { present, tried } = traceTrials(this.#brief, constants);
			const after = new Map(present);
			for (const { path, text } of this.files) {
				for (const { name, value } of constantsOf(path, text)) if (after.has(name)) after.set(name, value);
			}
			if (tried(after)) {
				const same = [...history, ...pending].findLast((e) => JSON.stringify(e.changes) === JSON.stringify(changes));
				throw same
					? repeat(same.n)
					: new Rejection("These constants were tried together before. Propose something that was not tried.");
			}
		}
		if (!evidence) return;
		const parent = history.find((e) => e.n === best)?.commit;
		const own = this.files.map(({ path, text }) => diffLines(patch(path, this.base.get(path)!, text))).join("\n");
		const siblings = [...history, ...pending].filter((e) => e.parent === parent && e.commit && e.commit !== parent);
		for (const { n } of siblings.toReversed().slice(0, COMPARED)) {
			const diff = await evidence.diff(n).catch(() => "");
			if (diffLines(diff) === own) throw repeat(n);
		}
	}
}

/** The constants of a TypeScript file whose values differ between two of its texts, as an experiment records them. */
export function changedConstants(path: string, before: string, after: string): Change[] {
	const old = new Map(constantsOf(path, before).map((constant) => [constant.name, constant]));
	return constantsOf(path, after).flatMap(({ name, text, value }) => {
		const from = old.get(name);
		return from && from.value !== value ? [{ name, from: from.text, to: text }] : [];
	});
}

function constantsOf(path: string, text: string): Constant[] {
	if (!isScript(path)) return [];
	try {
		return readConstants(path, text);
	} catch {
		return []; // a base that does not parse has no constants to compare
	}
}

function checkSyntax(path: string, text: string): void {
	if (!isScript(path)) return;
	try {
		readConstants(path, text);
	} catch (error) {
		if (error instanceof SyntaxProblem) throw new Rejection(`The file does not parse: ${error.message}.`);
		throw error;
	}
}

function isScript(path: string): boolean {
	return /\.[cm]?[jt]s$/.test(path);
}

/** Whether the files differ from their base in nothing but the literals of constants. */
function onlyConstants(base: readonly SourceFile[], files: readonly SourceFile[]): boolean {
	const frame = ({ path, text }: SourceFile) =>
		constantsOf(path, text)
			.toReversed()
			.reduce((rest, { start, end }) => `${rest.slice(0, start)}\0${rest.slice(end)}`, text);
	return files.every((file) => frame(file) === frame(base.find(({ path }) => path === file.path)!));
}

function changedFiles(base: ReadonlyMap<string, string>, texts: ReadonlyMap<string, string>): SourceFile[] {
	return [...texts].flatMap(([path, text]) => (text === base.get(path) ? [] : [{ path, text }]));
}

function patch(path: string, before: string, after: string): string {
	return createTwoFilesPatch(path, path, before, after, "", "", { context: 0 });
}

/** The added and removed lines of a unified diff, without whitespace: what makes two diffs the same idea. */
function diffLines(diff: string): string {
	const lines = diff.split("\n").filter((line) => /^[-+](?!--|\+\+)/.test(line));
	return lines.map((line) => line.replace(/\s+/g, "")).join("\n");
}

/** Where a part occurs in a text, whatever the line ends of either. */
function occurrences(text: string, part: string): { start: number; end: number }[] {
	const lines = part.split(/\r?\n/).map((line) => line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
	// Looked ahead for, so that places that overlap are found too.
	const pattern = new RegExp(`(?=(${lines.join("\\r?\\n")}))`, "g");
	return [...text.matchAll(pattern)].map(({ index, 1: found }) => ({ start: index, end: index + found!.length }));
}

/** Where a text that was not copied exactly was probably copied from. */
function nearest(text: string, old: string): string {
	const squeeze = (line: string) => line.replace(/\s+/g, "");
	const wanted = old.split("\n").map(squeeze).filter(Boolean);
	const lines = text.split("\n");
	const at = lines.findIndex((line) => squeeze(line) === wanted[0]);
	if (at < 0) return "Copy it exactly from the file, which `read_file` shows as it stands.";
	const excerpt = lines.slice(at, at + wanted.length + 1).join("\n");
	return `Its first line is like line ${at + 1}, where the file says:\n${excerpt}`;
}

function lineOf(text: string, at: number): number {
	return text.slice(0, at).split("\n").length;
}
