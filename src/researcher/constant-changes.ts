/** What an edit does to the constants of a TypeScript or JavaScript file. Files in other languages have none. */
import type { Change } from "../journal/events.ts";
import { Rejection, type SourceFile } from "./researcher.ts";
import { type Constant, readConstants, SyntaxProblem } from "./search/constants.ts";

/** The constants whose values differ between two texts of a file, as an experiment records them. */
export function changedConstants(path: string, before: string, after: string): Change[] {
	const old = new Map(constantsOf(path, before).map((constant) => [constant.name, constant]));
	return constantsOf(path, after).flatMap(({ name, text, value }) => {
		const from = old.get(name);
		return from && from.value !== value ? [{ name, from: from.text, to: text }] : [];
	});
}

/** The constants of a file; none for a file that does not parse. */
export function constantsOf(path: string, text: string): Constant[] {
	if (!isScript(path)) return [];
	try {
		return readConstants(path, text);
	} catch {
		return [];
	}
}

/** @throws Rejection for a script that does not parse */
export function checkSyntax({ path, text }: SourceFile): void {
	if (!isScript(path)) return;
	try {
		readConstants(path, text);
	} catch (error) {
		if (error instanceof SyntaxProblem) throw new Rejection(`The file does not parse: ${error.message}.`);
		throw error;
	}
}

/** Whether the files differ from their base in nothing but the literals of constants. */
export function changeOnlyConstants(base: readonly SourceFile[], files: readonly SourceFile[]): boolean {
	const frame = ({ path, text }: SourceFile) =>
		constantsOf(path, text)
			.toReversed()
			.reduce((rest, { start, end }) => `${rest.slice(0, start)}\0${rest.slice(end)}`, text);
	return files.every((file) => frame(file) === frame(base.find(({ path }) => path === file.path)!));
}

function isScript(path: string): boolean {
	return /\.[cm]?[jt]s$/.test(path);
}
