/** What keys do, on a scripted engine and without a terminal. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Key } from "ink";
import { ActionHandlers } from "../../src/tui/actions.ts";
import { Controller } from "../../src/tui/controller.ts";
import { freshMessage } from "../../src/tui/ui.ts";
import { playTraining } from "./scenarios.ts";
import { openScriptedEngine, settled } from "./scripted-engine.ts";

const NAMED: Record<string, Partial<Key>> = {
	enter: { return: true },
	esc: { escape: true },
	backspace: { backspace: true },
	"ctrl+c": { ctrl: true },
};

/** A controller over a scripted run, with experiment 13 in training unless `play` does something else. */
async function openController(t: TestContext, play = playTraining) {
	const engine = openScriptedEngine({ decided: 12 }, "/lab/program.md");
	t.after(() => engine.close());
	await play(engine);
	/** What the controller did to the terminal. */
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
		await settled();
	};
	/** Moves the selection from the newest row to an experiment. */
	const select = (n: number) => press("g", ..."j".repeat(engine.state.experiments.length - n));
	/** The experiment in flight is measured as worse than its base and discarded, and the next one starts. */
	const discard = () => engine.measure(2);
	return { engine, controller, press, select, discard, done, clock, ui: () => controller.ui.get() };
}

test("p pauses, and p again resumes", async (t) => {
	const { engine, press, ui } = await openController(t);
	await press("p");
	assert.equal(engine.state.paused, true);
	assert.equal(ui().message?.text, "pausing after experiment 13");
	await press("p");
	assert.deepEqual(engine.commands, [{ type: "pause" }, { type: "resume" }]);
});

test("P interrupts the experiment at once, also after p, and only once", async (t) => {
	const { engine, press } = await openController(t);
	await press("p", "P");
	assert.equal(engine.state.experiments[12]?.requeued, 1);
	assert.equal(engine.state.experiments[12]?.status, undefined);
	await press("P");
	assert.deepEqual(engine.commands, [{ type: "pause" }, { type: "pause-now" }]);
});

test("force-revert asks which experiment, and Esc does nothing", async (t) => {
	const { engine, press, ui } = await openController(t);
	const kept = engine.state.best;
	await press("r");
	assert.equal(ui().confirmation?.choices.length, 2);
	await press("esc");
	assert.deepEqual([ui().confirmation, engine.commands], [undefined, []]);
	await press("r", "j", "enter");
	assert.deepEqual(engine.commands, [{ type: "revert", n: kept }]);
	assert.equal(engine.state.experiments[kept - 1]?.reverted, true);
	assert.match(engine.state.experiments[12]!.reason!, /^dropped: .* was reverted by hand$/);
	await press("r", "x");
	assert.deepEqual(engine.commands.at(-1), { type: "skip", n: 14 });
	assert.equal(engine.state.experiments[13]?.reason, "skipped by hand");
});

test("every choice says how to undo it, or that it cannot be undone", async (t) => {
	const { press, select, discard, ui } = await openController(t);
	await discard();
	await select(13);
	for (const key of ["r", "b", "K"]) {
		await press(key);
		const { choices } = ui().confirmation!;
		assert.equal(choices.length, key === "r" ? 2 : 1);
		for (const { effect } of choices) assert.match(effect, /Undo: |cannot be undone/);
		await press("esc");
	}
});

test("b makes the selected experiment the base, K keeps it by hand, and the row says so", async (t) => {
	const { engine, press, select, discard } = await openController(t);
	const { best } = engine.state;
	await discard();
	await select(13);
	await press("b", "enter");
	assert.deepEqual(engine.commands, [{ type: "base", n: 13 }]);
	assert.deepEqual([engine.state.standing, engine.state.best], [13, best]);
	assert.equal(engine.state.experiments[12]?.reason, "made the base by hand");
	await select(best);
	await press("b", "enter");
	assert.equal(engine.state.standing, best);
	await discard();
	const { n } = engine.state.experiments.at(-2)!;
	await select(n);
	await press("K", "y");
	assert.deepEqual(engine.commands.at(-1), { type: "keep", n });
	assert.equal(engine.state.experiments[n - 1]?.reason, "kept by hand");
});

test("K says at once why an experiment cannot be kept", async (t) => {
	const { engine, press, select, discard, ui } = await openController(t);
	await discard();
	await engine.command({ type: "base", n: 1 });
	await settled();
	await select(13);
	await press("K");
	assert.equal(ui().confirmation, undefined);
	assert.match(ui().message!.text, /was built on another commit/);
});

test("a choice that the run has overtaken does nothing", async (t) => {
	const { engine, press, discard, ui } = await openController(t);
	const { best } = engine.state;
	await press("r");
	await discard();
	assert.match(ui().confirmation!.choices[0]!.effect, /^Too late/);
	await press("x", "enter");
	assert.deepEqual(engine.commands, []);
	await press("l");
	assert.deepEqual(engine.commands, [{ type: "revert", n: best }]);
});

test("in approve mode a proposal waits for y or n", async (t) => {
	const { engine, press, discard, ui } = await openController(t);
	await press("a");
	assert.equal(engine.state.approval, true);
	await discard();
	await press("n");
	assert.deepEqual(engine.commands.at(-1), { type: "reject", n: 14 });
	assert.equal(engine.state.experiments[13]?.reason, "rejected by hand");
	await press("y");
	assert.deepEqual(engine.commands.at(-1), { type: "approve", n: 15 });
	assert.equal(engine.state.live.phase, "training");
	assert.equal(ui().message?.text, "training experiment 15");
});

test("a proposal is answered only in a view that shows it", async (t) => {
	const { engine, press, done } = await openController(t, async (engine) => {
		engine.emit({ type: "run.approval", on: true });
		engine.run();
		await settled();
	});
	for (const view of ["l", "m", "w", "?"]) await press(view, "n", "y", "esc");
	await press("j", "enter", "n", "y", "esc");
	assert.deepEqual(engine.commands, []);
	assert.deepEqual(done, [`copied ${engine.state.experiments[11]?.commit}`]);
	await press("g", "enter", "y");
	assert.deepEqual(engine.commands, [{ type: "approve", n: 13 }]);
});

test("e opens the file that steers the run", async (t) => {
	const { press, ui } = await openController(t);
	await press("e");
	assert.equal(ui().message?.text, "edited /lab/program.md");
});

test("a note is typed, corrected and sent; its letters are not commands", async (t) => {
	const { engine, press, ui } = await openController(t);
	await press("s", "try", " q x", "z", "backspace", "enter");
	assert.deepEqual(engine.commands, [{ type: "note", text: "try q x" }]);
	assert.equal(ui().prompt, undefined);
	await press("s", "never mind", "esc");
	assert.equal(engine.commands.length, 1);
	await press("stwo words\rp");
	assert.deepEqual(engine.commands.slice(1), [{ type: "note", text: "two words" }, { type: "pause" }]);
});

test("a note that is too long is not sent, but stays in the prompt", async (t) => {
	const { engine, controller, press, ui } = await openController(t);
	await press("s");
	controller.paste("a".repeat(501));
	await press("enter");
	assert.deepEqual(engine.commands, []);
	assert.equal(ui().message?.text, "the note has 501 characters, 500 at most are sent");
	await press("backspace", "enter");
	assert.deepEqual(engine.commands, [{ type: "note", text: "a".repeat(500) }]);
});

test("pasted text goes into a prompt and is dropped without one", async (t) => {
	const { engine, controller, press, ui } = await openController(t);
	controller.paste("xrq");
	assert.deepEqual([engine.commands, ui().confirmation], [[], undefined]);
	await press("s");
	controller.paste("two\nlines\u001b\u0007and\u009bmore");
	assert.equal(ui().prompt?.text, "two lines and more");
});

test("a search narrows the table as it is typed; Esc brings everything back", async (t) => {
	const { controller, press } = await openController(t);
	await press("/", "rate");
	const titles = controller.rows().map(({ title }) => title);
	assert.ok(titles.length > 0 && titles.every((title) => title.includes("rate")));
	await press("enter");
	assert.equal(controller.rows().length, titles.length);
	await press("esc");
	assert.equal(controller.rows().length, 13);
});

test("f and t step through the filters and the orders", async (t) => {
	const { controller, press, ui } = await openController(t);
	await press("f");
	const kept = controller.rows();
	assert.ok(kept.length > 0 && kept.every(({ status }) => status === "keep"));
	await press("f", "f", "f", "t", "t");
	const { filter, sort } = ui().query;
	assert.deepEqual([filter, sort], ["all", "best"]);
	const values = controller.rows().flatMap(({ value }) => value ?? []);
	assert.deepEqual(
		values,
		values.toSorted((a, b) => a - b),
	);
});

test("the newest row stays selected as new ones come, and so does any other row", async (t) => {
	const { controller, press, discard } = await openController(t);
	await discard();
	assert.equal(controller.keyContext().selected, 14);
	await press("jj");
	assert.equal(controller.keyContext().selected, 12);
	await discard();
	assert.equal(controller.keyContext().selected, 12);
});

test("letters open views and Esc leaves them", async (t) => {
	const { press, ui } = await openController(t);
	await press("j", "enter");
	assert.deepEqual([ui().view, ui().selected], ["experiment", 12]);
	await press("l", "?");
	assert.deepEqual([ui().view, ui().trail], ["help", ["log", "experiment", "overview"]]);
	await press("esc", "esc", "esc");
	assert.deepEqual([ui().view, ui().selected], ["overview", 12]);
});

test("y copies the commit of the selected experiment", async (t) => {
	const { engine, press, done } = await openController(t);
	await press("j", "y");
	assert.deepEqual(done, [`copied ${engine.state.experiments[11]?.commit}`]);
});

test("q asks how to end the run, then waits for its end", async (t) => {
	const { engine, press, done, ui } = await openController(t);
	await press("q");
	assert.deepEqual(
		ui().confirmation?.choices.map(({ key }) => key),
		["s", "a"],
	);
	await press("s");
	assert.deepEqual([engine.commands, done], [[{ type: "stop" }], ["left"]]);
});

test("a stop after the experiment can be cancelled, and closes the screen when the run has ended", async (t) => {
	const { engine, press, discard, done, ui } = await openController(t);
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
	await discard();
	assert.equal(engine.state.stopped, "stopped by hand");
	assert.deepEqual(done, ["left"]);
});

test("a cancelled stop does not close the screen when the run ends later", async (t) => {
	const { engine, press, done } = await openController(t);
	await press("q", "a", "q", "g");
	engine.end("100 experiments done");
	await settled();
	assert.deepEqual(done, []);
});

test("while the run is being stopped no command is accepted", async (t) => {
	const { engine, press, ui } = await openController(t);
	engine.emit({ type: "tick.stopping" });
	await press("p", "x", "r", "s", "q");
	assert.deepEqual([engine.commands, ui().confirmation, ui().prompt], [[], undefined, undefined]);
	assert.match(ui().message!.text, /^stopping/);
});

test("once the run has stopped q leaves without a question", async (t) => {
	const { engine, press, done } = await openController(t);
	engine.end("12 experiments done");
	await press("q");
	assert.deepEqual([engine.commands, done], [[], ["left"]]);
});

test("a dialog closes when the run stops", async (t) => {
	const { engine, press, done, ui } = await openController(t);
	await press("r");
	engine.end("12 experiments done");
	assert.equal(ui().confirmation, undefined);
	await press("q");
	assert.deepEqual([engine.commands, done], [[], ["left"]]);
});

test("Ctrl-C leaves when it is pressed twice in a row", async (t) => {
	const { press, done, ui } = await openController(t);
	await press("ctrl+c", "j", "ctrl+c");
	assert.deepEqual(done, []);
	assert.match(ui().message?.text ?? "", /Ctrl-C again/);
	await press("ctrl+c");
	assert.deepEqual(done, ["left"]);
});

test("an answer disappears after a while, and the first Ctrl-C is forgotten with it", async (t) => {
	const { press, done, clock, ui } = await openController(t);
	await press("ctrl+c");
	assert.ok(freshMessage(ui(), clock.now));
	clock.now += 60_000;
	assert.equal(freshMessage(ui(), clock.now), undefined);
	await press("ctrl+c");
	assert.deepEqual(done, []);
	await press("ctrl+c");
	assert.deepEqual(done, ["left"]);
});

test("after a look at the newest experiment the selection still follows the newest", async (t) => {
	const { press, ui } = await openController(t);
	await press("enter");
	assert.equal(ui().selected, 13);
	await press("esc");
	assert.equal(ui().selected, undefined);
});

test("when the engine fails the screen stays and shows why", async (t) => {
	const { engine, press, done, ui } = await openController(t);
	engine.fail(new Error("the worktree is gone"));
	await settled();
	assert.equal(ui().message?.text, "the worktree is gone");
	await press("p", "q");
	assert.deepEqual([engine.commands, done], [[], ["left"]]);
});

test("the error of a command is shown", async (t) => {
	const { engine, press, ui } = await openController(t);
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
