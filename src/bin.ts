#!/usr/bin/env node
/** The launcher: what must be settled before anything else is loaded. */
import module from "node:module";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
	process.stderr.write(
		`autoresearch needs Node 22.22 or newer, and this is ${process.version}. ` +
			'In a clone, "npm start" brings a Node of its own ' +
			`(run "npm install" without --ignore-scripts); elsewhere install a newer Node.\n`,
	);
	process.exit(2);
}
// React and Ink choose their build when they are loaded, and the development one leaks over a night.
process.env.NODE_ENV ??= "production";
// Inside a git hook these name another repository than the lab's.
for (const name of ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"]) delete process.env[name];

module.enableCompileCache();
const { main } = await import("./cli.ts");
process.exitCode = await main(process.argv.slice(2));
