/**
 * The prompts are Markdown files beside this one, so that they can be read and edited as prose. `{{name}}` is filled
 * in; a name without a value is a bug.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../package-root.ts";

export type Template =
	| "role"
	| "trainer-built-in"
	| "trainer-own"
	| "tools"
	| "agent"
	| "steady"
	| "proposal"
	| "open"
	| "other-family"
	| "combine"
	| "bold"
	| "restart"
	| "repair";

/** Compiled code lives in dist/, the templates do not. */
const DIR = join(packageRoot, "src", "researcher", "brief");

/** The text of a template with its placeholders filled; a paragraph that is one empty placeholder is left out. */
export function fill(template: Template, values: Record<string, string | number> = {}): string {
	const text = read(template).trim();
	const paragraphs = text.split("\n\n").map((paragraph) =>
		paragraph.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
			if (!(name in values)) throw new Error(`${template}.md names {{${name}}}, which has no value`);
			return String(values[name]);
		}),
	);
	return paragraphs.filter(Boolean).join("\n\n");
}

/** One section of a template that has several, under `# heading`. */
export function section(template: "tool-descriptions" | "answers", heading: string): string {
	const found = read(template)
		.split(/^# /m)
		.find((part) => part.startsWith(`${heading}\n`));
	if (!found) throw new Error(`${template}.md has no section "${heading}"`);
	return found.slice(heading.length).trim();
}

function read(name: string): string {
	return readFileSync(join(DIR, `${name}.md`), "utf8");
}
