/** The console in a real pseudo-terminal: the modes it switches on, and that it restores all of them. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startDemo, type Terminal } from "./terminal.ts";

const SIZE = { columns: 80, rows: 24 };
const MODES = {
	alternateScreen: ["\u001b[?1049h", "\u001b[?1049l"],
	cursor: ["\u001b[?25l", "\u001b[?25h"],
	paste: ["\u001b[?2004h", "\u001b[?2004l"],
} as const;

/** The terminal is in no mode that the console switched on. */
function assertRestored({ output, xterm }: Terminal): void {
	for (const [name, [on, off]] of Object.entries(MODES)) {
		const [switched, back] = [output.lastIndexOf(on), output.lastIndexOf(off)];
		assert.ok(switched >= 0 && back > switched, `${name} is as it was`);
	}
	assert.equal(xterm.buffer.active.type, "normal");
}

test("q and a choice leave, and the terminal is as it was", async (t) => {
	const terminal = startDemo(t, [], SIZE);
	await terminal.shows("program.md");
	terminal.send("q");
	await terminal.shows("Leave?");
	terminal.send("s");
	assert.equal(await terminal.exited, 0);
	assertRestored(terminal);
});

test("keys typed before the first frame are neither lost nor echoed", async (t) => {
	const terminal = startDemo(t, ["--still"], SIZE);
	await terminal.until(() => terminal.output.includes("\u001b[?1049h"), "the alternate screen");
	terminal.send("?");
	assert.doesNotMatch(await terminal.shows("The run"), /quit\?/);
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
	test(`${signal} leaves the terminal as it was`, async (t) => {
		const terminal = startDemo(t, [], SIZE);
		await terminal.shows("program.md");
		terminal.kill(signal);
		assert.equal(await terminal.exited, { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
		assertRestored(terminal);
	});
}

test("Ctrl-C twice leaves", async (t) => {
	const terminal = startDemo(t, [], SIZE);
	await terminal.shows("program.md");
	terminal.send("\u0003");
	await terminal.shows("Ctrl-C again");
	terminal.send("\u0003");
	await terminal.exited;
	assertRestored(terminal);
});

test("a crash leaves the terminal as it was, with the reason on it", async (t) => {
	const terminal = startDemo(t, ["--crash"], SIZE);
	await terminal.shows("program.md");
	terminal.send("x");
	assert.equal(await terminal.exited, 1);
	assertRestored(terminal);
	assert.match(terminal.screen(), /the scripted crash/);
});

test("many resizes in a row end in a clean screen, no taller than the terminal", async (t) => {
	const terminal = startDemo(t, ["--still"], { columns: 120, rows: 40 });
	await terminal.shows("training 38");
	for (let i = 0; i < 40; i++) {
		terminal.resize(60 + ((i * 37) % 141), 14 + ((i * 23) % 47));
		await setTimeout(i % 4 === 0 ? 40 : 5);
	}
	terminal.resize(120, 40);
	const kept = readFileSync(join(import.meta.dirname, "screens/overview-120x40.txt"), "utf8");
	await terminal.until((screen) => screen === kept, "the screen as it was before");
	assert.equal(terminal.xterm.buffer.active.baseY, 0);
});

test("Ctrl-L redraws the screen that another program wrote over, also with a dialog open", async (t) => {
	const terminal = startDemo(t, ["--still"], { columns: 120, rows: 40 });
	await terminal.shows("training 38");
	const kept = readFileSync(join(import.meta.dirname, "screens/overview-120x40.txt"), "utf8");
	terminal.xterm.write("\u001b[3;1Hwall: the machine goes down at midnight\r\n\n\n");
	await terminal.shows("at midnight");
	terminal.send("\f");
	await terminal.until((screen) => screen === kept, "the screen as it was before");
	terminal.send("q");
	await terminal.shows("Leave?");
	terminal.xterm.write("\u001b[3;1Hwall: the machine goes down at midnight");
	await terminal.shows("at midnight");
	terminal.send("\f");
	await terminal.until((screen) => !screen.includes("midnight") && screen.includes("Leave?"), "the question alone");
});

test("a dialog shows its keys on the smallest screen", async (t) => {
	const terminal = startDemo(t, ["--still"], { columns: 60, rows: 14 });
	await terminal.shows("program.md");
	for (const key of ["r", "q"]) {
		terminal.send(key);
		await terminal.shows(/Enter does it, j and k choose[\s\S]*╰/);
		terminal.send("j");
		await terminal.shows(/> {2}[la] [\s\S]*\n.* {6}\S[\s\S]*Enter does it/);
		terminal.send("\u001b");
		await terminal.until((screen) => !screen.includes("Enter does it"), "no question");
	}
});

test("a terminal that is too small gets a message, and the screen comes back when it grows", async (t) => {
	const terminal = startDemo(t, ["--still"], SIZE);
	await terminal.shows("program.md");
	terminal.resize(40, 8);
	await terminal.shows("too small");
	terminal.resize(80, 24);
	await terminal.shows(/training 38[\s\S]*\? help/);
});

test("NO_COLOR is honoured", async (t) => {
	const terminal = startDemo(t, ["--still"], { ...SIZE, env: { NO_COLOR: "1" } });
	await terminal.shows("program.md");
	assert.doesNotMatch(terminal.output, /\u001b\[[\d;]*(3[0-7]|9[0-7]|38)m/);
});

test("only the terminal's sixteen colours are used, and none that is invisible on a light background", async (t) => {
	const terminal = startDemo(t, ["--still"], SIZE);
	await terminal.shows("program.md");
	const colours = new Set(Array.from(terminal.output.matchAll(/\u001b\[([\d;]+)m/g), ([, code]) => code!));
	assert.ok(colours.has("32") && colours.has("36"), "colours are used");
	assert.deepEqual(
		[...colours].filter((code) => !/^(0|1|2|7|22|27|31|32|35|36|39)$/.test(code)),
		[],
	);
});

test("a locale without UTF-8 gets ASCII", async (t) => {
	const terminal = startDemo(t, ["--still"], { ...SIZE, env: { LANG: "C", LC_ALL: "C" } });
	assert.match(await terminal.shows("program.md"), /^[\n -~]*$/);
});

test("the console draws on a terminal with CI=true", async (t) => {
	const terminal = startDemo(t, ["--still"], { ...SIZE, env: { CI: "true" } });
	await terminal.shows("program.md");
});

test("a screen reader gets the text of every row, without what is only drawn", async (t) => {
	const terminal = startDemo(t, ["--still"], { columns: 120, rows: 40, env: { INK_SCREEN_READER: "true" } });
	const screen = await terminal.shows(/\? help/);
	assert.match(screen, /autoresearch nov21 on autoresearch\/nov21/);
	assert.match(screen, /^training 38 Six layers in place of four budget 5:00$/m);
	assert.match(screen, /^40% 3:00 left$/m);
	assert.match(screen, /^\(selected\) 38 > running .*Six layers in place of four$/m);
	assert.match(screen, /^37 \* best 1\.\d{6} /m);
	assert.doesNotMatch(screen, /[\u2500-\u259f\u2800-\u28ff]/);
	terminal.send("q");
	await terminal.shows(/^ *autoresearch[\s\S]*Leave\?\n> s stop the run now/);
});

test("text that is pasted is not taken for keys", async (t) => {
	const terminal = startDemo(t, ["--still"], SIZE);
	await terminal.shows("program.md");
	terminal.send("\u001b[200~qs\u001b[201~?");
	assert.doesNotMatch(await terminal.shows("The run"), /Leave/);
});

test("e hands the terminal to the editor and takes it back", async (t) => {
	const folder = mkdtempSync(join(tmpdir(), "autoresearch-test-"));
	t.after(() => rmSync(folder, { recursive: true }));
	const program = join(folder, "program.md");
	writeFileSync(program, "before\n");
	const editor = join(folder, "editor.sh");
	writeFileSync(editor, 'echo "an editor has the terminal"; read -r line; echo "$line" > "$1"\n');
	const terminal = startDemo(t, ["--still", "--program", program], {
		...SIZE,
		env: { EDITOR: `sh ${editor}`, VISUAL: undefined },
	});
	await terminal.shows("program.md");
	terminal.send("e");
	await terminal.shows("an editor has the terminal");
	// One key at a time: another reader of the keyboard would take some of them.
	for (const key of "look at the schedules\r") {
		terminal.send(key);
		await setTimeout(5);
	}
	await terminal.shows("back from program.md");
	assert.equal(readFileSync(program, "utf8"), "look at the schedules\n");
	terminal.send("?");
	await terminal.shows("The run");
});

test("y puts the commit on the terminal's clipboard", async (t) => {
	const terminal = startDemo(t, ["--still"], SIZE);
	await terminal.shows("program.md");
	terminal.send("y");
	const screen = await terminal.shows(/copied [0-9a-f]{40}/);
	const commit = /copied ([0-9a-f]{40})/.exec(screen)![1]!;
	assert.ok(terminal.output.includes(`\u001b]52;c;${Buffer.from(commit).toString("base64")}\u0007`));
});

test("a stop after the experiment is in the header until it is cancelled", async (t) => {
	const terminal = startDemo(t, ["--still"], SIZE);
	await terminal.shows("program.md");
	terminal.send("qa");
	await terminal.shows(/stops after 38 +training 38/);
	terminal.send("q");
	await terminal.shows("cancel the stop");
	terminal.send("g");
	await terminal.until((screen) => !screen.includes("stops after"), "a header without it");
});
