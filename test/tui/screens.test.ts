/**
 * What the console looks like, kept as text in screens/: each view at three sizes, drawn by the real program in a real
 * pseudo-terminal. After a change that was meant: UPDATE_SCREENS=1 npm run test:only -- test/tui/screens.test.ts
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { SCENARIOS } from "./scenarios.ts";
import { startDemo, type Terminal } from "./terminal.ts";

const FOLDER = join(import.meta.dirname, "screens");
const SIZES = [
	[80, 24],
	[120, 40],
	[200, 60],
] as const;

/** Each view: the keys that lead to it from the one before, and what only it shows. */
const VIEWS: readonly [name: string, keys: readonly string[], shows: RegExp][] = [
	["overview", [], /training 38/],
	["selected", ["j", "j"], /3\/38/],
	["experiment", ["\r"], /experiment {2}36 of 38[\s\S]*\+ const/],
	["experiment-log", ["\t", "G"], /log {2}tab: diff[\s\S]*layer 39 ready/],
	["log", ["o", "l"], /log {2}experiment 38[\s\S]*step 01770/],
	["program", ["m"], /version 3 of 3/],
	["program-diff", ["[", "\t"], /version 2 of 3[\s\S]*\+ - HEAD_DIM/],
	["notices", ["w"], /─ notices/],
	["help", ["?"], /The run/],
	["search", ["o", "/", "rate"], /of 38.*1\/3/],
	["revert", ["\u001b", "r"], /Force-revert what\?/],
	["quit", ["\u001b", "q"], /Leave\?/],
];

for (const [columns, rows] of SIZES) {
	test(`every view at ${columns}x${rows} looks as it is kept`, async (t) => {
		const terminal = startDemo(t, ["--still"], { columns, rows });
		for (const [name, keys, shows] of VIEWS) {
			for (const key of keys) await press(terminal, key);
			const screen = await settled(terminal, shows);
			for (const line of screen.split("\n"))
				assert.ok(line.length <= columns, `${name} is wider than the terminal: ${line}`);
			compare(`${name}-${columns}x${rows}.txt`, screen);
		}
	});
}

test("the screen in plain ASCII looks as it is kept", async (t) => {
	const terminal = startDemo(t, ["--still", "--plain"], { columns: 120, rows: 40 });
	const screen = await settled(terminal, /training 38/);
	assert.match(screen, /^[\n -~]*$/);
	compare("plain-120x40.txt", screen);
});

const [SMALLEST, SMALL, MIDDLE] = [
	[60, 14],
	[80, 24],
	[120, 40],
] as const;

const SCENARIO_SHOWS: readonly [keyof typeof SCENARIOS, shows: RegExp, ...sizes: (readonly [number, number])[]][] = [
	["writing", /proposing 38[\s\S]*I will/, SMALL, MIDDLE],
	["ahead", /next {2}39/, MIDDLE],
	["approving", /your turn 38[\s\S]*y train it/, SMALL],
	["approving-long", /lines; Enter shows them[\s\S]*y train it/, SMALLEST, SMALL, MIDDLE],
	["pausing-now", /paused 38[\s\S]*interrupted/, SMALL, MIDDLE],
	["resumed", /training 38[\s\S]*starts up/, MIDDLE],
	["waiting", /529.*1:37 left/, SMALL],
	["outage", /1:37 left/, SMALLEST, SMALL],
	["other-metric", /tokens_predicte… 154320\.987654 154321\.0/, [100, 30], MIDDLE],
	["disputed-widths", /training 38[\s\S]*note waits/, MIDDLE],
	["program-gone", /! program.md is gone; version/, SMALL],
	["crashed", /38 {2}! crash/, SMALL],
	["on-gpu", /cuda:0 {2}97% busy 63 C 689 W[\s\S]*GPU idle \d+%/, MIDDLE],
	["stopped", /Stopped: 37 experiments done/, SMALL],
	["starting", /no result yet/, SMALL],
];

test("scenarios that are not plain training look as they are kept", async (t) => {
	for (const [scenario, shows, ...sizes] of SCENARIO_SHOWS) {
		for (const [columns, rows] of sizes) {
			const terminal = startDemo(t, ["--still", "--scenario", scenario], { columns, rows });
			compare(`scenario-${scenario}-${columns}x${rows}.txt`, await settled(terminal, shows));
			terminal.kill("SIGTERM");
			await terminal.exited;
		}
	}
});

/** Sends a key and waits for output, since Escape followed at once by another key would be one sequence. */
async function press(terminal: Terminal, key: string): Promise<void> {
	const before = terminal.output.length;
	terminal.send(key);
	await terminal.until(() => terminal.output.length > before, `an answer to ${JSON.stringify(key)}`);
}

/** The screen once it shows something and no longer changes. */
async function settled(terminal: Terminal, shows: RegExp): Promise<string> {
	let last = await terminal.shows(shows);
	let since = performance.now();
	return terminal.until((screen) => {
		if (screen !== last) [last, since] = [screen, performance.now()];
		return shows.test(screen) && performance.now() - since > 150;
	}, "the screen to settle");
}

function compare(name: string, screen: string): void {
	const path = join(FOLDER, name);
	if (process.env.UPDATE_SCREENS) {
		mkdirSync(FOLDER, { recursive: true });
		writeFileSync(path, screen);
	}
	assert.equal(screen, readFileSync(path, "utf8"), `${name} has changed`);
}
