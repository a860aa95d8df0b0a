/**
 * Bundles the console into one file, dist/console.js: importing Ink and React file by file takes three times as long,
 * and the first frame waits for it.
 */
import { build } from "esbuild";

await build({
	entryPoints: ["dist/src/tui/tui.js"],
	outfile: "dist/console.js",
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node22",
	define: { "process.env.NODE_ENV": '"production"' },
	// Ink loads it for its developers only.
	alias: { "react-devtools-core": "./scripts/no-devtools.js" },
	banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
	logLevel: "warning",
});
