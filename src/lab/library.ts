/**
 * The tensor library of a lab that trains with the built-in trainer. The training file gets the console's own, whatever
 * lies beside it in the lab: this is where it stands in the lab, its text, and what the lab holds that differs.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { packageRoot } from "../package-root.ts";
import type { Lab } from "./lab.ts";

const OWN = join(packageRoot, "trainer");
const FILES = ["contract.ts", "tensor/**/*.{ts,md}"];

/** The library's files as paths of the lab, beside its training file. Empty where the lab trains with a command. */
export function libraryFiles(lab: Lab): string[] {
	return lab.train === "built-in" ? filesIn(OWN).map((path) => posix.join(folder(lab), path)) : [];
}

/** The text of one of `libraryFiles`. */
export function readLibrary(lab: Lab, labPath: string): string {
	return readFileSync(join(OWN, posix.relative(folder(lab), labPath)), "utf8");
}

/** The library's page for researchers, by its path of the lab. None where the lab trains with a command. */
export function libraryReference(lab: Lab): { path: string; text: string }[] {
	const path = posix.join(folder(lab), "tensor/README.md");
	return lab.train === "built-in" ? [{ path, text: readLibrary(lab, path) }] : [];
}

/** Source files beside the training file that the console's own library has otherwise, or has not. */
export function ignoredLibraryFiles(lab: Lab): string[] {
	if (lab.train !== "built-in") return [];
	const theirs = filesIn(join(lab.dir, folder(lab))).filter((path) => path.endsWith(".ts"));
	const differs = (path: string) => {
		const own = join(OWN, path);
		return !existsSync(own) || !readFileSync(own).equals(readFileSync(join(lab.dir, folder(lab), path)));
	};
	return theirs.filter(differs).map((path) => posix.join(folder(lab), path));
}

function folder({ edit }: Lab): string {
	return posix.dirname(edit[0]!);
}

function filesIn(dir: string): string[] {
	return FILES.flatMap((pattern) => globSync(pattern, { cwd: dir }))
		.map((path) => path.replaceAll("\\", "/"))
		.sort();
}
