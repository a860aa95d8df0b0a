/** The table of keys, and the footer and the help made from it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Key } from "ink";
import { initialState } from "../../src/journal/state.ts";
import { footerLine } from "../../src/tui/footer.tsx";
import { bindingFor, KEYS, type KeyContext, keyNames, type View, worksNow } from "../../src/tui/keys.ts";
import { lineText, lineWidth } from "../../src/tui/line.ts";
import { helpLines } from "../../src/tui/views/help.tsx";
import { playTraining } from "./scenarios.ts";
import { openScriptedEngine } from "./scripted-engine.ts";

const VIEWS: readonly View[] = ["overview", "experiment", "log", "program", "notices", "help"];

const engine = openScriptedEngine({ decided: 12 });
after(() => engine.close());
await playTraining(engine);

/** The overview with experiment 13 in training and another experiment selected. */
function context(change: Partial<KeyContext> = {}): KeyContext {
	return { state: engine.state, view: "overview", selected: 5, isFiltered: false, ...change };
}

test("no key has two meanings at once, except y and n while a proposal awaits approval", () => {
	for (const view of VIEWS) {
		const now = context({ view });
		const names = KEYS.filter((binding) => worksNow(binding, now)).flatMap(({ keys }) => keys);
		assert.deepEqual(
			names.filter((name, i) => names.indexOf(name) !== i),
			[],
			view,
		);
	}
	const { state } = context();
	const waiting = context({ state: { ...state, live: { ...state.live, phase: "approving" } } });
	assert.equal(bindingFor("y", waiting)?.action, "approve");
	assert.equal(bindingFor("n", waiting)?.action, "reject");
	assert.equal(bindingFor("y", context())?.action, "copy");
	assert.equal(bindingFor("n", { ...waiting, view: "log" })?.action, "next-match");
	assert.equal(bindingFor("y", { ...waiting, view: "experiment" })?.action, "copy");
	assert.equal(bindingFor("y", { ...waiting, view: "experiment", selected: 13 })?.action, "approve");
});

test("the help lists every key", () => {
	const help = helpLines(120).map(lineText).join("\n");
	for (const { keys } of KEYS) assert.ok(help.includes(keys.join(" ")), keys.join(" "));
});

test("the footer lists keys that work now, fits, and always has help and quit", () => {
	for (const view of VIEWS) {
		for (const width of [60, 80, 120, 200]) {
			const now = context({ view });
			const line = footerLine(now, width);
			assert.ok(lineWidth(line) <= width);
			assert.match(lineText(line), /\? help +q quit/);
			for (const entry of lineText(line).trim().split(/ {2,}/)) {
				assert.ok(bindingFor(entry.split(" ")[0]!, now), `"${entry}" in ${view} at ${width}`);
			}
		}
	}
});

test("keys that have nothing to act on do not work", () => {
	const empty = context({ state: initialState(), selected: undefined });
	for (const key of ["x", "r", "b", "K", "y", "enter"]) assert.equal(bindingFor(key, empty), undefined, key);
	const stopped = context({ state: { ...context().state, stopped: "stopped by hand" } });
	for (const key of ["p", "P", "x", "r", "a", "s", "b", "K"]) assert.equal(bindingFor(key, stopped), undefined, key);
	assert.equal(bindingFor("q", stopped)?.action, "quit");
});

test("keys that arrive together are separate keys", () => {
	assert.deepEqual(keyNames("jj\rG", {} as Key), ["j", "j", "enter", "G"]);
	assert.deepEqual(keyNames("c", { ctrl: true } as Key), ["ctrl+c"]);
	assert.deepEqual(keyNames("", { pageDown: true } as Key), ["pgdn"]);
});
