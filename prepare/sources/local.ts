/**
 * The user's own text: a file, or a folder with everything readable below it. `.jsonl` files hold one document a line
 * under the key `text` (the usual form of published corpora); other files are one document each, and a long one, such
 * as a whole book, is cut into sections that count as documents.
 */
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { PrepareError } from "../errors.ts";
import type { Source } from "./source.ts";

const TEXT_FILES = new Set([".txt", ".md", ".text"]);

/**
 * Texts longer than this are cut; a section is at least SECTION characters and ends with a paragraph, a line or a word.
 */
const LONG_TEXT = 65_536;
const SECTION = 8_192;

/** @throws PrepareError when there is no text at that path */
export function localSource(name: string): Source {
	const path = resolve(name);
	const files = textFiles(path);
	if (files.length === 0)
		throw new PrepareError(`no text in ${path}: a source is a text file, a .jsonl file, or a folder that holds some`);

	const hash = createHash("sha256");
	let bytes = 0;
	for (const file of files) {
		const { size, mtimeMs } = statSync(file);
		hash.update(`${file}\0${size}\0${mtimeMs}\0`);
		bytes += size;
	}
	const corpus = { bytes, documents: () => readAll(files) };
	return { name: path, fingerprint: hash.digest("hex"), open: async () => corpus };
}

function textFiles(path: string): string[] {
	const found = statSync(path, { throwIfNoEntry: false });
	if (!found)
		throw new PrepareError(`there is no source at ${path}: give "sotu", or the path of a text file, .jsonl or folder`);
	if (!found.isDirectory()) return [path];
	return readdirSync(path, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.filter(({ name }) => TEXT_FILES.has(extname(name)) || extname(name) === ".jsonl")
		.map((entry) => join(entry.parentPath, entry.name))
		.sort();
}

async function* readAll(files: string[]): AsyncGenerator<string> {
	for (const file of files)
		if (extname(file) === ".jsonl") yield* readJsonLines(file);
		else yield* sections(readFileSync(file, "utf8"));
}

async function* readJsonLines(file: string): AsyncGenerator<string> {
	let number = 0;
	for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
		number++;
		if (!line.trim()) continue;
		yield textOf(line, `${file}:${number}`);
	}
}

function textOf(line: string, place: string): string {
	let value: { text?: unknown } | null;
	try {
		value = JSON.parse(line);
	} catch {
		throw new PrepareError(`${place}: not JSON; every line of a .jsonl source is an object with the key "text"`);
	}
	if (typeof value?.text !== "string") throw new PrepareError(`${place}: no string under the key "text"`);
	return value.text;
}

function* sections(text: string): Generator<string> {
	let start = 0;
	while (text.length - start > (start === 0 ? LONG_TEXT : SECTION)) {
		const boundaries = ["\n\n", "\n", " "].map((boundary) => text.indexOf(boundary, start + SECTION));
		const near = boundaries.find((at) => at >= 0 && at < start + 2 * SECTION);
		const end = near === undefined ? start + SECTION : near + 1;
		yield text.slice(start, end);
		start = end;
	}
	yield text.slice(start);
}
