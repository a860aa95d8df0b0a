/** Small real corpora for the tests: written to a temporary folder, prepared like any other. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { randomFrom } from "../../prepare/random.ts";

export function temporaryFolder(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "autoresearch-prepare-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

const PLAIN_WORDS = "the a of light river stone keeper under over morning and but sings carries forgets";
const WORDS = `${PLAIN_WORDS} Łódź 1848 naïve, it's; ‘quoted’ 🦉`.split(" ");

/** A text of sentences and paragraphs; the same for the same number. */
export function story(number: number, sentences = 40): string {
	const random = randomFrom(number);
	const word = () => WORDS[Math.floor(random() * WORDS.length)]!;
	const sentence = () => `${Array.from({ length: 4 + Math.floor(random() * 12) }, word).join(" ")}.`;
	return Array.from({ length: sentences }, (_, i) => sentence() + (i % 7 === 6 ? "\n\n" : " ")).join("");
}

/** A folder of `count` text files. */
export function folderOfStories(folder: string, count: number): string {
	const corpus = join(folder, "corpus");
	mkdirSync(corpus, { recursive: true });
	for (let i = 0; i < count; i++) writeFileSync(join(corpus, `${String(i).padStart(4, "0")}.txt`), story(i));
	return corpus;
}
