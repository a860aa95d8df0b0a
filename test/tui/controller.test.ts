import assert from "node:assert/strict";
import { test } from "node:test";
import type { Key } from "ink";
import { ActionHandlers } from "../../src/tui/actions.ts";
import { Controller } from "../../src/tui/controller.ts";
import { freshMessage } from "../../src/tui/ui.ts";
import { inFlight, night } from "./night.ts";
import { ScriptedEngine } from "./scripted-engine.ts";

const NAMED: Record<string, Partial<Key>> = {
	enter: { return: true },
	esc: { escape: true },
	backspace: { backspace: true },
	"ctrl+c": { ctrl: true },
};

/** A controller over the scripted night with experiment 13 in flight, and the keys of a person. */
function sitDown() {
	const engine = new ScriptedEngine("/lab/program.md");
	engine.play(night({ decided: 12 }));
	engine.play(
		inFlight(13, engine.state.experiments[engine.state.best - 1]!.commit!, "3f2a1c9d0b", engine.state.seq, 0.1),
	);
	const done: string[] = [];
	const clock = { now: 0 };
	const controller = new Controller(engine, new ActionHandlers(), {
		leave: () => done.push("left"),
		now: () => clock.now,
		size: () => ({ width: 120, height: 40 }),
		copy: (text) => done.push(`copied ${text}`),
		edit: async (path) => `edited ${path}`,
		redraw: () => done.push("redrawn"),
	});
	const press = async (...keys: string[]) => {
		for (const key of keys) controller.input(key === "ctrl+c" ? "c" : NAMED[key] ? "" : key, (NAMED[key] ?? {}) as Key);
		await new Promise(setImmediate);
	};
	return { engine, controller, press, done, clock, ui: () => controller.ui.get() };
}

test("p pauses, and p again goes on", async () => {
	const { engine, press, ui } = sitDown();
	await press("p");
	assert.equal(engine.state.paused, true);
	assert.equal(ui().message?.text, "pausing after experiment 13");
	await press("p");
	assert.deepEqual(engine.commands, [{ type: "pause" }, { type: "resume" }]);
});

test("P sets the run aside at once, also after p, and once", async () => {
	const { engine, press } = sitDown();
	await press("p", "P");
	assert.equal(engine.state.experiments[12]?.requeued, 1);
	assert.equal(engine.state.experiments[12]?.status, undefined);
	await press("P");
	assert.deepEqual(engine.commands, [{ type: "pause" }, { type: "pause-now" }]);
});

test("force-revert asks once which, and Esc does nothing", async () => {
	const { engine, press, ui } = sitDown();
	const kept = engine.state.best;
	await press("r");
	assert.equal(ui().confirmation?.choices.length, 2);
	await press("esc");
	assert.deepEqual([ui().confirmation, engine.commands], [undefined, []]);
	await press("r", "j", "enter");
	assert.deepEqual(engine.commands, [{ type: "revert", n: kept }]);
	assert.equal(engine.state.experiments[kept - 1]?.reverted, true);
	await press("r", "x");
	assert.deepEqual(engine.commands.at(-1), { type: "skip", n: 13 });
});

test("every choice that destroys something says how to undo it or that one cannot", async () => {
	const { engine, press, ui } = sitDown();
	const discarded = engine.state.experiments.findLast(({ status }) => status === "discard")!.n;
	await press(..."j".repeat(13 - discarded));
	for (const key of ["r", "b", "K"]) {
		await press(key);
		assert.ok(ui().confirmation, key);
		for (const { effect } of ui().confirmation?.choices ?? []) assert.match(effect, /Undo: |cannot be undone/);
		await press("esc");
	}
});

test("b makes the selected experiment the base, K keeps it by hand, and the row says so", async () => {
	const { engine, press } = sitDown();
	const { best } = engine.state;
	const discarded = engine.state.experiments.findLast(({ status }) => status === "discard")!.n;
	await press(..."j".repeat(13 - discarded), "b", "enter");
	assert.deepEqual(engine.commands, [{ type: "base", n: discarded }]);
	assert.deepEqual([engine.state.standing, engine.state.best], [discarded, best]);
	assert.equal(engine.state.experiments[discarded - 1]?.byHand, true);
	engine.emit({ type: "experiment.adopted", n: best, reason: "made the base by hand" });
	const other = engine.state.experiments.findLast(({ status }) => status === "discard")!.n;
	await press("g", ..."j".repeat(13 - other), "K", "y");
	assert.deepEqual(engine.commands.at(-1), { type: "keep", n: other });
});

test("K says at once why an experiment cannot be kept", async () => {
	const { engine, press, ui } = sitDown();
	engine.emit({ type: "experiment.adopted", n: 1, reason: "made the base by hand" });
	const discarded = engine.state.experiments.findLast(({ status }) => status === "discard")!.n;
	await press(..."j".repeat(13 - discarded), "K");
	assert.equal(ui().confirmation, undefined);
	assert.match(ui().message!.text, /was built on another commit/);
});

test("a question that has been overtaken does nothing, and never something else", async () => {
	const { engine, press, ui } = sitDown();
	const overtake = () =>
		engine.emit(
			{ type: "experiment.decided", n: 13, status: "discard", reason: "worse", seconds: {} },
			{ type: "experiment.started", n: 14, parent: "", program: "", researcher: "search" },
		);
	const { best } = engine.state;
	await press("r");
	overtake();
	assert.match(ui().confirmation!.choices[0]!.effect, /^Too late/);
	await press("x", "enter");
	assert.deepEqual(engine.commands, []);
	await press("l");
	assert.deepEqual(engine.commands, [{ type: "revert", n: best }]);
});

test("in approve mode a proposal waits for y or n", async () => {
	const { engine, press } = sitDown();
	await press("a");
	assert.equal(engine.state.approval, true);
	engine.emit({ type: "tick.phase", phase: "approving", n: 13 });
	await press("n");
	assert.deepEqual(engine.commands.at(-1), { type: "reject", n: 13 });
	engine.emit({ type: "tick.phase", phase: "approving", n: 13 });
	await press("y");
	assert.deepEqual(engine.commands.at(-1), { type: "approve", n: 13 });
});

test("a proposal is answered only where it is in sight", async () => {
	const { engine, press, done } = sitDown();
	engine.emit({ type: "tick.phase", phase: "approving", n: 13 });
	for (const view of ["l", "m", "w", "?"]) await press(view, "n", "y", "esc");
	await press("j", "enter", "n", "y", "esc");
	assert.deepEqual(engine.commands, []);
	assert.deepEqual(done, [`copied ${engine.state.experiments[11]?.commit}`]);
	await press("g", "enter", "y");
	assert.deepEqual(engine.commands, [{ type: "approve", n: 13 }]);
});

test("e opens the file that steers the run", async () => {
	const { press, ui } = sitDown();
	await press("e");
	assert.equal(ui().message?.text, "edited /lab/program.md");
});

test("a note is typed, corrected and sent; letters in it are no keys", async () => {
	const { engine, press, ui } = sitDown();
	await press("s", "try", " q x", "z", "backspace", "enter");
	assert.deepEqual(engine.commands, [{ type: "note", text: "try q x" }]);
	assert.equal(ui().prompt, undefined);
	await press("s", "never mind", "esc");
	assert.equal(engine.commands.length, 1);
	await press("stwo words\rp");
	assert.deepEqual(engine.commands.slice(1), [{ type: "note", text: "two words" }, { type: "pause" }]);
});

test("a note that is too long is not sent, and not lost", async () => {
	const { engine, controller, press, ui } = sitDown();
	await press("s");
	controller.paste("a".repeat(501));
	await press("enter");
	assert.deepEqual(engine.commands, []);
	assert.equal(ui().message?.text, "the note has 501 characters, 500 at most are sent");
	await press("backspace", "enter");
	assert.deepEqual(engine.commands, [{ type: "note", text: "a".repeat(500) }]);
});

test("pasted text is typed where one types and is nothing elsewhere", async () => {
	const { engine, controller, press, ui } = sitDown();
	controller.paste("xrq");
	assert.deepEqual([engine.commands, ui().confirmation], [[], undefined]);
	await press("s");
	controller.paste("two\nlines\u001b\u0007and\u009bmore");
	assert.equal(ui().prompt?.text, "two lines and more");
});

test("a search narrows the table as it is typed; Esc brings everything back", async () => {
	const { controller, press } = sitDown();
	await press("/", "rate");
	const titles = controller.rows().map(({ title }) => title);
	assert.ok(titles.length > 0 && titles.every((title) => title.includes("rate")));
	await press("enter");
	assert.equal(controller.rows().length, titles.length);
	await press("esc");
	assert.equal(controller.rows().length, 13);
});

test("filters and orders go round", async () => {
	const { controller, press, ui } = sitDown();
	await press("f");
	assert.ok(controller.rows().every(({ status }) => status === "keep"));
	await press("f", "f", "f", "t", "t");
	const { filter, sort } = ui().query;
	assert.deepEqual([filter, sort], ["all", "best"]);
	const values = controller.rows().flatMap(({ value }) => value ?? []);
	assert.deepEqual(
		values,
		values.toSorted((a, b) => a - b),
	);
});

test("the newest row stays selected as new ones come, another one stays where it is", async () => {
	const { engine, controller, press } = sitDown();
	const next = () =>
		engine.emit(
			{
				type: "experiment.decided",
				n: engine.state.experiments.length,
				status: "discard",
				reason: "worse",
				seconds: {},
			},
			{
				type: "experiment.started",
				n: engine.state.experiments.length + 1,
				parent: "",
				program: "",
				researcher: "search",
			},
		);
	next();
	assert.equal(controller.keyContext().selected, 14);
	await press("jj");
	assert.equal(controller.keyContext().selected, 12);
	next();
	assert.equal(controller.keyContext().selected, 12);
});

test("views are reached by letters and left by Esc", async () => {
	const { press, ui } = sitDown();
	await press("j", "enter");
	assert.deepEqual([ui().view, ui().selected], ["experiment", 12]);
	await press("l", "?");
	assert.deepEqual([ui().view, ui().trail], ["help", ["log", "experiment", "overview"]]);
	await press("esc", "esc", "esc");
	assert.deepEqual([ui().view, ui().selected], ["overview", 12]);
});

test("y copies the commit of the selected experiment", async () => {
	const { engine, press, done } = sitDown();
	await press("j", "y");
	assert.deepEqual(done, [`copied ${engine.state.experiments[11]?.commit}`]);
});

test("q asks what becomes of the run, then waits for its end", async () => {
	const { engine, press, done, ui } = sitDown();
	await press("q");
	assert.deepEqual(
		ui().confirmation?.choices.map(({ key }) => key),
		["s", "a"],
	);
	await press("s");
	assert.deepEqual([engine.commands, done], [[{ type: "stop" }], ["left"]]);
});

test("stopping after an experiment is shown, can be taken back, and leaves when the run has ended", async () => {
	const { engine, press, done, ui } = sitDown();
	const choices = () => ui().confirmation?.choices.map(({ key }) => key);
	await press("q", "a", "q");
	assert.equal(engine.state.stopAfter, 13);
	assert.deepEqual(choices(), ["s", "g"]);
	await press("g");
	assert.equal(engine.state.stopAfter, undefined);
	await press("q");
	assert.deepEqual(choices(), ["s", "a"]);
	await press("a");
	assert.deepEqual(done, []);
	engine.emit({ type: "run.stopped", reason: "stopped by hand" });
	engine.end();
	await new Promise(setImmediate);
	assert.deepEqual(done, ["left"]);
});

test("what was taken back does not close the screen when the run ends later", async () => {
	const { engine, press, done } = sitDown();
	await press("q", "a", "q", "g");
	engine.emit({ type: "run.stopped", reason: "100 experiments done" });
	engine.end();
	await new Promise(setImmediate);
	assert.deepEqual(done, []);
});

test("while the run is being stopped only leaving and looking are left", async () => {
	const { engine, press, ui } = sitDown();
	engine.emit({ type: "tick.stopping" });
	await press("p", "x", "r", "s", "q");
	assert.deepEqual([engine.commands, ui().confirmation, ui().prompt], [[], undefined, undefined]);
	assert.match(ui().message!.text, /^stopping/);
});

test("once the run has stopped q just leaves", async () => {
	const { engine, press, done } = sitDown();
	engine.emit({ type: "run.stopped", reason: "12 experiments are done" });
	await press("q");
	assert.deepEqual([engine.commands, done], [[], ["left"]]);
});

test("a question is taken back when the run stops meanwhile", async () => {
	const { engine, press, done, ui } = sitDown();
	await press("r");
	engine.emit({ type: "run.stopped", reason: "12 experiments are done" });
	assert.equal(ui().confirmation, undefined);
	await press("q");
	assert.deepEqual([engine.commands, done], [[], ["left"]]);
});

test("Ctrl-C leaves when it is pressed twice in a row", async () => {
	const { press, done, ui } = sitDown();
	await press("ctrl+c", "j", "ctrl+c");
	assert.deepEqual(done, []);
	assert.match(ui().message?.text ?? "", /Ctrl-C again/);
	await press("ctrl+c");
	assert.deepEqual(done, ["left"]);
});

test("an answer makes room for the notices after a while, and so does the first Ctrl-C", async () => {
	const { press, done, clock, ui } = sitDown();
	await press("ctrl+c");
	assert.ok(freshMessage(ui(), clock.now));
	clock.now += 60_000;
	assert.equal(freshMessage(ui(), clock.now), undefined);
	await press("ctrl+c");
	assert.deepEqual(done, []);
	await press("ctrl+c");
	assert.deepEqual(done, ["left"]);
});

test("whoever looked at the newest experiment goes on with the newest", async () => {
	const { press, ui } = sitDown();
	await press("enter");
	assert.equal(ui().selected, 13);
	await press("esc");
	assert.equal(ui().selected, undefined);
});

test("when the engine cannot go on the screen stays and says why", async () => {
	const { engine, press, done, ui } = sitDown();
	engine.end(new Error("the worktree is gone"));
	await new Promise(setImmediate);
	assert.equal(ui().message?.text, "the worktree is gone");
	await press("p", "q");
	assert.deepEqual([engine.commands, done], [[], ["left"]]);
});

test("what a command could not do is said", async () => {
	const { engine, press, ui } = sitDown();
	engine.command = async () => {
		throw new Error("experiment 12 was built on 9; make it the base instead (b)");
	};
	await press("x");
	assert.deepEqual(ui().message, {
		text: "experiment 12 was built on 9; make it the base instead (b)",
		tone: "bad",
		at: 0,
	});
});
