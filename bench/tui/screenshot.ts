/**
 * Draws the README's picture: the built console on the scripted night, from the buffer of the terminal it runs in.
 *
 *     node bench/tui/screenshot.ts docs/screen.svg
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Terminal } from "../../test/tui/terminal.ts";
import { svg } from "./svg.ts";

const [path = "docs/screen.svg"] = process.argv.slice(2);
const script = join(import.meta.dirname, "../../test/tui/play.ts");
const terminal = new Terminal([process.execPath, script, "--still", "--share", "0.55"], {
	columns: 120,
	rows: 40,
});
await terminal.shows(/training 38[\s\S]*\? help/);
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, svg(terminal.xterm));
terminal.kill("SIGTERM");
await terminal.exited;
console.log(`wrote ${path}`);
