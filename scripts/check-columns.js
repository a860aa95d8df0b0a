/** Fails on a comment line over 120 columns, a tab counted as two: Biome formats code to that width but no comment. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const COLUMNS = 120;
const COMMENT = /^\s*(\/\/|\/?\*|#)/;

const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" });
const wide = listed
	.split("\n")
	.filter((path) => /\.(ts|tsx|js|cpp|py|sh)$/.test(path))
	.flatMap((path) =>
		readFileSync(path, "utf8")
			.split("\n")
			.flatMap((line, i) => {
				const columns = line.replaceAll("\t", "  ").length;
				return columns > COLUMNS && COMMENT.test(line) ? [`${path}:${i + 1} has ${columns} columns`] : [];
			}),
	);
for (const line of wide) process.stderr.write(`${line}, ${COLUMNS} at most: break the comment\n`);
process.exitCode = wide.length > 0 ? 1 : 0;
