/**
 * Fails on a file of code that does not open with a comment saying what it is, and on a line over 120 columns, a tab
 * counted as two: Biome formats code to that width, but neither comments nor long strings.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const COLUMNS = 120;
const OPENING = /^(#![^\n]*\n)?(\/\*|\/\/|#|""")/;

const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" });
const problems = listed
	.split("\n")
	// Git lists a file that was deleted until that is staged.
	.filter((path) => /\.(ts|tsx|js|cpp|py|sh)$/.test(path) && existsSync(path))
	.flatMap((path) => {
		const text = readFileSync(path, "utf8");
		const wide = text.split("\n").flatMap((line, i) => {
			const columns = line.replaceAll("\t", "  ").length;
			return columns > COLUMNS ? [`${path}:${i + 1} has ${columns} columns, ${COLUMNS} at most: break the line`] : [];
		});
		return OPENING.test(text) ? wide : [`${path} does not open with a comment that says what it is`, ...wide];
	});
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
