/** The console over the real loop: the real binary on a real lab, at a real (pseudo-)terminal. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BIN } from "../support/cli.ts";
import { makeLab, tempDir } from "../support/lab.ts";
import { startInTerminal } from "./terminal.ts";

test("a user adds a note, pauses, skips, edits program.md, leaves, and resumes the run", async (t) => {
	const lab = makeLab(t, { train: [["SECONDS = 0", "SECONDS = 1"]] });
	const command = [process.execPath, BIN, "tui", "--tag", "night", "--researcher", "search", "--budget", "2s"] as const;
	const terminal = startInTerminal(t, [...command, "--seed", "1"], { columns: 120, rows: 40, cwd: lab.dir });
	await terminal.shows(/training {2}1 {2}.*budget 0:02/);
	await terminal.shows(/ 1 {2}\* best/);

	terminal.send("s");
	await terminal.shows("note to the researcher");
	terminal.send("look at DEPTH\r");
	terminal.send("p");
	await terminal.shows(/ paused /);
	const paused = await terminal.shows("resume");
	const last = Number(/experiments .*1\/(\d+)/.exec(paused)?.[1]);
	terminal.send("p");
	await terminal.until((screen) => new RegExp(` ${last + 1} {2}> running`).test(screen), "the next experiment");
	await terminal.shows(/ left +│/);
	terminal.send("x");
	await terminal.until(
		(screen) => new RegExp(` ${last + 1} {2}- discard`).test(screen),
		"the skipped experiment's row",
	);

	terminal.send("m");
	await terminal.shows("Try what you like.");
	lab.write("program.md", "Leave DEPTH alone.\n");
	await terminal.shows("Leave DEPTH alone.");
	terminal.send("\t");
	await terminal.shows(/- Try what you like\.[\s\S]*\+ Leave DEPTH alone\./);
	terminal.send("o");
	terminal.send("q");
	await terminal.shows("Leave?");
	terminal.send("s");
	assert.equal(await terminal.exited, 0);
	assert.match(terminal.screen(), /carries on/);
	assert.equal(lab.git("status", "--porcelain", "--untracked-files=no"), "M program.md".padStart(12));

	const again = startInTerminal(t, [...command, "--experiments", `${last + 2}`], {
		columns: 80,
		rows: 24,
		cwd: lab.dir,
	});
	await again.shows(new RegExp(` ${last + 2} {2}[-+*] `));
	await again.shows("stopped");
	again.send("q");
	assert.equal(await again.exited, 0);
});

test("a user answers proposals, pauses a training run, and chooses another base", async (t) => {
	const lab = makeLab(t, { train: [["SECONDS = 0", "SECONDS = 1"]] });
	const command = [process.execPath, BIN, "tui", "--tag", "night", "--researcher", "search", "--budget", "2s"] as const;
	const terminal = startInTerminal(t, [...command, "--seed", "1"], { columns: 120, rows: 40, cwd: lab.dir });
	await terminal.shows(/training {2}1 .*budget 0:02/);
	terminal.send("a");
	await terminal.shows("approve mode");
	await terminal.shows(/your turn 2 [\s\S]*y train it/);
	terminal.send("n");
	await terminal.shows(/ 2 {2}- discard/);
	await terminal.shows("your turn 3 ");
	terminal.send("y");
	await terminal.shows(/ 3 {2}> running[\s\S]*/);
	await terminal.shows(/ left +│/);
	terminal.send("P");
	await terminal.shows(/ paused 3 /);
	assert.match(terminal.screen(), / 3 {2}= paused/);
	terminal.send("pa");
	await terminal.shows(/ 3 {2}[-*+] /);

	// The dropped proposal was never measured, so it cannot be a base; a measured one that was not kept can.
	await terminal.until((screen) => /- discard {2}\d/.test(screen), "a measured experiment that was not kept");
	terminal.send("p");
	await terminal.shows(/ paused /);
	const discarded = Number(/ (\d+) {2}- discard {2}\d/.exec(terminal.screen())![1]);
	const newest = Number(/experiments .*1\/(\d+)/.exec(terminal.screen())![1]);
	terminal.send(`${"j".repeat(newest - discarded)}b`);
	await terminal.shows(`Build on experiment ${discarded} `);
	terminal.send("\r");
	await terminal.until((screen) => new RegExp(` ${discarded} {2}\\+ base`).test(screen), "the new base");
	await terminal.shows(new RegExp(`base #${discarded} [\\d.]+, best [\\d.]+`));
	assert.match(
		lab.git("log", "--format=%H", "-1", "autoresearch/night"),
		new RegExp(lab.git("rev-parse", `refs/autoresearch/night/${`${discarded}`.padStart(4, "0")}`)),
	);
});

test("a user keeps an experiment by hand, and force-reverts it", async (t) => {
	const lab = makeLab(t, { train: [["SECONDS = 0", "SECONDS = 1"]] });
	const command = [process.execPath, BIN, "tui", "--tag", "night", "--researcher", "search", "--budget", "2s"] as const;
	const terminal = startInTerminal(t, [...command, "--seed", "1"], { columns: 120, rows: 40, cwd: lab.dir });
	await terminal.until((screen) => /- discard {2}\d/.test(screen), "a measured experiment that was not kept");
	terminal.send("p");
	const paused = await terminal.shows(/ paused /);
	const [, discarded] = / (\d+) {2}- discard {2}\d/.exec(paused)!;
	const [, standing] = / (\d+) {2}\* best/.exec(paused)!;
	const newest = Number(/experiments .*1\/(\d+)/.exec(paused)![1]);
	const tip = () => lab.git("rev-parse", "autoresearch/night");
	const commitOf = (n: string) => lab.git("rev-parse", `refs/autoresearch/night/${n.padStart(4, "0")}`);

	terminal.send(`${"j".repeat(newest - Number(discarded))}K`);
	await terminal.shows(`Keep experiment ${discarded} `);
	terminal.send("\r");
	await terminal.until((screen) => new RegExp(` ${discarded} {2}\\+ base`).test(screen), "the experiment kept by hand");
	assert.equal(tip(), commitOf(discarded!));

	terminal.send("r");
	await terminal.shows(/Force-revert what\?[\s\S]*the last kept commit/);
	terminal.send("l");
	await terminal.until((screen) => new RegExp(` ${discarded} {2}- undone`).test(screen), "the experiment taken back");
	assert.equal(tip(), commitOf(standing!));
	assert.match(
		lab.git("notes", "--ref", "autoresearch", "show", commitOf(discarded!)),
		/status: discard \(reverted by hand\)/,
	);
	terminal.send("qs");
	assert.equal(await terminal.exited, 0);
});

test("e opens the instructions file that the lab names", async (t) => {
	const lab = makeLab(t, { train: [["SECONDS = 0", "SECONDS = 1"]], lab: { program: "docs/instructions.md" } });
	lab.write("docs/instructions.md", "Try what you like.\n");
	const editor = join(tempDir(t), "editor.sh");
	writeFileSync(editor, 'echo "Leave DEPTH alone." > "$1"\n');
	const terminal = startInTerminal(t, [process.execPath, BIN, "tui", "--tag", "night", "--researcher", "search"], {
		columns: 120,
		rows: 40,
		cwd: lab.dir,
		env: { EDITOR: `sh ${editor}`, VISUAL: undefined },
	});
	await terminal.shows(/training {2}1 /);
	terminal.send("e");
	await terminal.shows("back from instructions.md");
	assert.equal(readFileSync(join(lab.dir, "docs/instructions.md"), "utf8"), "Leave DEPTH alone.\n");
	assert.equal(readFileSync(join(lab.dir, "program.md"), "utf8"), "Try what you like.\n");
	terminal.send("m");
	await terminal.shows("Leave DEPTH alone.");
	terminal.send("qs");
	assert.equal(await terminal.exited, 0);
});
