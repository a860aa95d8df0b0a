/**
 * Takes the README's picture from a real run: `autoresearch tui` with the built-in trainer and search, in a clone of
 * this repository at HEAD, until eight experiments of 20 seconds are decided. Prints the same screen at 80x24, which
 * the README quotes. It takes some four minutes.
 *
 *     npm run screenshot
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";
import { BIN } from "../../test/support/cli.ts";
import { Terminal } from "../../test/tui/terminal.ts";
import { svg } from "./svg.ts";

const DECIDED = 8;
const BUDGET_SECONDS = 20;
/** A whole experiment may take this long when the machine is busy; the first start also prepares the data. */
const PATIENCE_MS = DECIDED * 60_000;

const lab = mkdtempSync(join(tmpdir(), "autoresearch-screenshot-"));
execFileSync("git", ["clone", "--quiet", packageRoot, lab]);
symlinkSync(join(packageRoot, "node_modules"), join(lab, "node_modules"));
const options = ["--tag", "demo", "--researcher", "search", "--budget", `${BUDGET_SECONDS}s`];
const terminal = new Terminal([process.execPath, BIN, "tui", ...options], { columns: 120, rows: 40, cwd: lab });
try {
	const isDone = (screen: string) => {
		const decided = Number(/ crashed of (\d+)/.exec(screen)?.[1]);
		// With more than half of the budget used the loss curve is there.
		return decided >= DECIDED && / training \d+ \n[\s\S]* [67]\d% /.test(screen);
	};
	await terminal.until(isDone, `${DECIDED} decided experiments`, PATIENCE_MS);
	const path = join(packageRoot, "docs/screen.svg");
	writeFileSync(path, svg(terminal.xterm));
	terminal.resize(80, 24);
	console.log(await terminal.shows(/^ .*\n.* of \d+ .*\n── training/));
	console.log(`wrote ${path}`);
} finally {
	terminal.kill("SIGTERM");
	await terminal.exited;
	rmSync(lab, { recursive: true, force: true, maxRetries: 5 });
}
