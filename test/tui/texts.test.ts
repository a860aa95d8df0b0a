/** Texts longer than the screen: they can be read to the end, and the matches of a search are highlighted. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startDemo, type Terminal } from "./terminal.ts";

async function open(t: TestContext, scenario: string, columns: number, rows: number): Promise<Terminal> {
	const terminal = startDemo(t, ["--still", "--scenario", scenario], { columns, rows });
	await terminal.shows(/training {2}38/);
	return terminal;
}

/** Sends keys one by one, each after the screen shows the effect of the one before. */
async function press(terminal: Terminal, ...keys: [key: string, shows: RegExp][]): Promise<void> {
	for (const [key, shows] of keys) {
		terminal.send(key);
		await terminal.shows(shows);
	}
}

/** The highlighted texts, between the header and the lines at the bottom. */
function highlighted({ xterm }: Terminal): string[] {
	return Array.from({ length: xterm.rows - 6 }, (_, y) => {
		const line = xterm.buffer.active.getLine(y + 3)!;
		const cells = Array.from({ length: xterm.cols }, (_, x) => line.getCell(x)!);
		return cells.map((cell) => (cell.isInverse() ? cell.getChars() : "")).join("");
	}).filter(Boolean);
}

for (const [view, key, title] of [
	["program.md", "m", /version 2 of 2/],
	["the notices", "w", /─ notices/],
	["a log", "l", /log {2}experiment 38[\s\S]*word59/],
] as const) {
	test(`${view}: a line longer than the screen is read to its end, and a search finds what is in it`, async (t) => {
		const terminal = await open(t, "long-lines", 60, 14);
		await press(
			terminal,
			[key, title],
			["g", /word0 /],
			["G", /word59/],
			["/", /Enter, Esc/],
			["word58", /word58 .*Esc/],
		);
		await press(terminal, ["\r", /1 line/]);
		assert.deepEqual(highlighted(terminal), ["word58"]);
	});
}

test("a match is highlighted on both rows when a row ends inside it", async (t) => {
	const terminal = await open(t, "long-lines", 60, 14);
	await press(terminal, ["m", /version 2 of 2/], ["/", /Enter, Esc/], ["word8 word9", /word8 word9 .*Esc/]);
	await press(terminal, ["\r", /2 lines/]);
	assert.deepEqual(highlighted(terminal), ["word8", "word9"]);
});

test("an experiment with a long hypothesis shows its result first, and all of the hypothesis below", async (t) => {
	const terminal = await open(t, "long-lines", 60, 14);
	await press(terminal, ["j", /2\/38/], ["\r", /experiment {2}37 of 38[\s\S]*val_bpb 1\.\d{6}/], ["G", /const/]);
	await press(terminal, ["/", /Enter, Esc/], ["word59", /word59 .*Esc/], ["\r", /1 line/]);
	assert.deepEqual(highlighted(terminal), ["word59"]);
});

test("Enter opens a proposal that waits for an answer, whole, and y still answers", async (t) => {
	const terminal = await open(t, "approving-long", 60, 14);
	await press(
		terminal,
		["\r", /\? y or n/],
		["G", /const A_299 = 299 \* 2;[\s\S]*terminal's line/],
		["y", /training experiment 38/],
	);
});

test("a log that is read stays when the next experiment begins, until it is followed again", async (t) => {
	const terminal = await open(t, "", 80, 24);
	await press(terminal, ["l", /log {2}experiment 38.*following/], ["g", /layer 0 ready/], ["x", /training 39/]);
	await press(terminal, ["j", /log {2}experiment 38 {2}f: follow experiment 39[\s\S]*layer 2 ready/]);
	await press(terminal, ["f", /log {2}experiment 39.*following/]);
});
