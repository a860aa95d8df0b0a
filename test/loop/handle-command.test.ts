/** What a human asks of a running loop, through the same interface the console uses. */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Engine } from "../../src/engine/engine.ts";
import { startEngine } from "../../src/engine/start.ts";
import { best, type Experiment, inFlight, type State } from "../../src/journal/state.ts";
import { type LabFolder, makeLab } from "../support/lab.ts";
import { whenOf } from "../support/when.ts";

interface Console {
	lab: LabFolder;
	engine: Engine;
	/** Resolves when the state is as wanted, or already was. */
	when(what: string, wanted: (state: State) => boolean): Promise<State>;
	end(): Promise<void>;
}

/** A running loop; every experiment takes `seconds`. */
async function running(t: TestContext, seconds = 0.1, options: Parameters<typeof makeLab>[1] = {}): Promise<Console> {
	const lab = makeLab(t, {
		...options,
		train: [...(options.train ?? []), ["SECONDS = 0", `SECONDS = ${seconds}`]],
		lab: { budget: "60s" },
	});
	const engine = await startEngine(
		{ lab: lab.dir, tag: "demo", researcher: { name: "search" }, device: "cpu", seed: 1 },
		{ onPrepare: () => {} },
	);
	const when = whenOf(engine);
	const end = async () => {
		await engine.command({ type: "stop" });
		await engine.finished;
	};
	t.after(end);
	return { lab, engine, when, end };
}

const training = (n: number) => (state: State) =>
	state.live.phase === "training" && state.live.n === n && state.live.training?.n === n;
const decided = (n: number) => (state: State) => state.experiments[n - 1]?.status !== undefined;
const branch = (lab: LabFolder) => lab.git("rev-parse", "autoresearch/demo");
/** What follows from an event follows a moment after it. */
async function until(holds: () => boolean): Promise<void> {
	for (let i = 0; i < 500 && !holds(); i++) await setTimeout(10);
	assert.ok(holds());
}
const table = (lab: LabFolder) => readFileSync(join(lab.dir, "results/demo/results.tsv"), "utf8");

test("pause lets the running experiment finish, and nothing starts until resume", async (t) => {
	const { engine, when } = await running(t);
	await when("training 2", training(2));
	assert.equal(await engine.command({ type: "pause" }), "pausing after experiment 2");
	const state = await when("paused", ({ live }) => live.phase === "paused");
	assert.equal(state.experiments.length, 2);
	assert.equal(inFlight(state), undefined);
	assert.equal(await engine.command({ type: "resume" }), "resumed");
	await when("a third", decided(3));
});

test("pause now sets the run aside; resume trains the same commit again under the same number", async (t) => {
	const { engine, when } = await running(t, 1);
	await when("training 1", training(1));
	assert.match(await engine.command({ type: "pause-now" }), /experiment 1 is interrupted/);
	const state = await when("paused", ({ live }) => live.phase === "paused");
	assert.equal(state.experiments[0]!.status, undefined);
	const { commit } = state.experiments[0]!;
	await engine.command({ type: "resume" });
	const after = await when("decided", decided(1));
	assert.equal(after.experiments[0]!.commit, commit);
	assert.equal(after.experiments[0]!.requeued, 1);
});

test("an experiment that was set aside can be skipped, and is dropped when the branch moves", async (t) => {
	const { engine, when, end } = await running(t, 0.5);
	const setAside = async (n: number) => {
		await when(`training ${n}`, training(n));
		await engine.command({ type: "pause-now" });
		await when("set aside", (s) => s.setAside && s.live.phase === "paused");
	};
	await setAside(2);
	assert.equal(await engine.command({ type: "pause-now" }), "already paused");
	await engine.command({ type: "skip", n: 2 });
	assert.equal((await when("2 skipped", decided(2))).experiments[1]!.reason, "skipped by hand");
	await engine.command({ type: "resume" });
	const { standing } = await when("one kept after the baseline", (s) => s.standing > 1 && inFlight(s) !== undefined);
	const n = inFlight(engine.state)!.n;
	await setAside(n);
	await engine.command({ type: "revert", n: standing });
	const state = await when("the one built on it dropped", decided(n));
	assert.match(state.experiments[n - 1]!.reason!, /which it was built on, was reverted by hand/);
	assert.equal(state.experiments.length, n);
	await end();
});

test("an experiment that waits for a fault to pass can be skipped", async (t) => {
	const { lab, engine, when, end } = await running(t, 0.3);
	await when("training 1", training(1));
	lab.write("results/demo/experiments/0002", "in the way of its folder");
	await when("2 waits", ({ live }) => live.phase === "waiting" && live.n === 2);
	await engine.command({ type: "skip", n: 2 });
	assert.equal((await when("2 skipped", decided(2))).experiments[1]!.reason, "skipped by hand");
	await when("the next", training(3));
	await end();
});

test("a fault that arises while a skip is pending is reported, and the skip holds all the same", async (t) => {
	const { lab, engine, when } = await running(t, 0.3);
	await when("training 1", training(1));
	lab.write("results/demo/experiments/0002", "in the way of its folder");
	engine.subscribe((_, event) => {
		if (event.type === "experiment.committed" && event.n === 2) void engine.command({ type: "skip", n: 2 });
	});
	const { experiments, notices } = await when("2 skipped", decided(2));
	assert.deepEqual([experiments[1]!.status, experiments[1]!.reason], ["discard", "skipped by hand"]);
	const faults = notices.filter(({ level }) => level === "error").map(({ text }) => text);
	assert.equal(faults.length, 1);
	assert.match(faults[0]!, /^experiment 2: EEXIST/);
});

test("skip ends the running experiment: a discarded row that says so, and its commit stays", async (t) => {
	const { lab, engine, when } = await running(t, 30, {});
	await when("training 1", training(1));
	assert.equal(await engine.command({ type: "skip", n: 1 }), "skipping experiment 1");
	const state = await when("decided", decided(1));
	assert.deepEqual([state.experiments[0]!.status, state.experiments[0]!.reason], ["discard", "skipped by hand"]);
	await when("training 2", training(2));
	assert.match(table(lab), /\t0\.000000\t0\.0\tdiscard\tbaseline \[skipped by hand\]\n/);
	assert.equal(lab.git("rev-parse", "refs/autoresearch/demo/0001"), state.experiments[0]!.commit);
});

test("force-revert takes the last kept experiment back, and drops the one being trained on top of it", async (t) => {
	const { lab, engine, when } = await running(t, 0.4);
	const kept = await when("one kept after the baseline", (state) => state.best > 1);
	const last = best(kept)!;
	await when("the next in training", (state) => state.live.phase === "training" && state.live.n > last.n);
	assert.equal(await engine.command({ type: "revert", n: last.n }), `reverting experiment ${last.n}`);
	const state = await when("reverted", ({ experiments }) => experiments[last.n - 1]!.reverted === true);
	assert.equal(best(state)!.commit, last.parent);
	assert.match(
		state.experiments[last.n]!.reason!,
		/^dropped: experiment \d+, which it was built on, was reverted by hand$/,
	);
	await when("the next one begun", (s) => s.experiments.length > last.n + 1);
	assert.equal(branch(lab), last.parent);
	assert.equal(lab.git("rev-parse", `refs/autoresearch/demo/000${last.n}`), last.commit);
	assert.match(table(lab), /\tdiscard\t[^\t\n]+\[reverted by hand\]\n/);
	assert.equal(engine.state.experiments[last.n + 1]!.parent, last.parent);
});

test("what names an experiment that is not meant any more is refused", async (t) => {
	const { engine, when } = await running(t, 1);
	await when("training 2", training(2));
	assert.match(await engine.command({ type: "skip", n: 1 }), /nothing is skipped: experiment 1 is not running/);
	assert.match(await engine.command({ type: "stop-after", n: 1 }), /the run goes on: experiment 1 is not running/);
	const state = await when("one kept after the baseline", (s) => s.standing > 1);
	assert.match(await engine.command({ type: "revert", n: 1 }), /does not stand on experiment 1 any more/);
	assert.deepEqual([engine.state.standing, engine.state.stopAfter], [state.standing, undefined]);
});

test("there is nothing to revert at the baseline", async (t) => {
	const { engine, when } = await running(t, 0.5);
	await when("training", training(1));
	assert.match(await engine.command({ type: "revert", n: 1 }), /nothing to revert/);
});

test("a discarded experiment can be kept by hand, or made the base", async (t) => {
	const { lab, engine, when } = await running(t, 0.2);
	await when("training 1", training(1));
	const onTheBest = (s: State) => s.experiments.findLast((e) => e.status === "discard" && e.parent === best(s)?.commit);
	let chosen: Experiment | undefined;
	// What is decided before the pause may move the branch: then the next discarded one is waited for.
	while (!chosen) {
		await when("a discarded one on the present best", (s) => onTheBest(s) !== undefined);
		await engine.command({ type: "pause" });
		await when("paused", ({ live }) => live.phase === "paused");
		chosen = onTheBest(engine.state);
		if (!chosen) await engine.command({ type: "resume" });
	}
	const { n, commit } = chosen;
	assert.equal(await engine.command({ type: "keep", n }), `keeping experiment ${n} by hand`);
	const byHand = await when("kept by hand", ({ experiments }) => experiments[n - 1]!.byHand === true);
	assert.equal(byHand.standing, n);
	await until(() => branch(lab) === commit);
	assert.equal(await engine.command({ type: "base", n: 1 }), "experiment 1 is the new base");
	await when("on the baseline again", (s) => s.standing === 1);
	const { experiments } = engine.state;
	const kept = experiments.filter(({ status }) => status === "keep").map(({ value }) => value!);
	assert.equal(best(engine.state)!.value, Math.min(...kept));
	await engine.command({ type: "resume" });
	const before = engine.state.experiments.length;
	await when("another", (s) => s.experiments.length > before);
	assert.equal(engine.state.experiments[before]!.parent, engine.state.base);
	assert.match(await engine.command({ type: "keep", n: 999 }), /there is no experiment 999/);
	assert.match(await engine.command({ type: "base", n: 1 }), /stands on experiment 1 already/);
});

test("approve mode: nothing trains without a yes, and a no is a discarded row", async (t) => {
	const { engine, when } = await running(t);
	await engine.command({ type: "approval", on: true });
	await when("2 waits", ({ live }) => live.phase === "approving" && live.n === 2);
	assert.match(await engine.command({ type: "approve", n: 7 }), /is not waiting/);
	assert.equal(await engine.command({ type: "reject", n: 2 }), "experiment 2 is rejected");
	const state = await when("2 decided", decided(2));
	assert.deepEqual(
		[state.experiments[1]!.status, state.experiments[1]!.reason, state.experiments[1]!.value],
		["discard", "rejected by hand", undefined],
	);
	await when("3 waits", ({ live }) => live.phase === "approving" && live.n === 3);
	assert.equal(await engine.command({ type: "approve", n: 3 }), "training experiment 3");
	await when("3 measured", (s) => s.experiments[2]?.value !== undefined);
	await when("4 waits", ({ live }) => live.phase === "approving" && live.n === 4);
	await engine.command({ type: "approval", on: false });
	await when("4 measured without an answer", (s) => s.experiments[3]?.value !== undefined);
});

test("stop after lets the running experiment finish; stop leaves it for the next start", async (t) => {
	const { engine, when } = await running(t, 0.3);
	await when("training 1", training(1));
	await engine.command({ type: "stop-after", n: 1 });
	await engine.finished;
	assert.equal(engine.state.experiments.length, 1);
	assert.ok(engine.state.experiments[0]!.status);
	assert.equal(engine.state.stopped, "stopped by hand");
});

test("stop after can be taken back, and does not wait for an experiment that was set aside", async (t) => {
	const { engine, when } = await running(t, 0.5);
	await when("training 1", training(1));
	await engine.command({ type: "stop-after", n: 1 });
	assert.equal(engine.state.stopAfter, 1);
	assert.equal(await engine.command({ type: "go-on" }), "the run goes on");
	await when("training 2", training(2));
	await engine.command({ type: "pause-now" });
	await when("set aside", (s) => s.setAside && s.live.phase === "paused");
	assert.equal(await engine.command({ type: "stop-after", n: 2 }), "stopping");
	await engine.finished;
	assert.equal(engine.state.experiments[1]!.status, undefined);
});

test("a run that is being stopped says so at once", async (t) => {
	const { engine, when } = await running(t, 30);
	await when("training 1", training(1));
	const ended = engine.command({ type: "stop" });
	assert.equal(engine.state.live.stopping, true);
	await ended;
});

test("a note that is too long is refused, not cut", async (t) => {
	const { engine, when } = await running(t, 30);
	await when("training 1", training(1));
	assert.match(await engine.command({ type: "note", text: "a".repeat(501) }), /^the note has 501 characters/);
	assert.equal(engine.state.notes.length, 0);
	await engine.command({ type: "note", text: `${"a".repeat(499)}\u0007\n` });
	assert.equal(engine.state.notes[0]?.text.length, 499);
});

test("the best run's curve is there after a restart, and that of the one before it after a revert", async (t) => {
	const { lab, engine, when, end } = await running(t, 0.3);
	await when("one kept after the baseline", (s) => s.standing > 1 && training(s.standing + 1)(s));
	assert.equal(engine.state.live.bestCurve.length, 2);
	await end();
	const again = await startEngine(
		{ lab: lab.dir, tag: "demo", researcher: { name: "search" }, device: "cpu" },
		{ onPrepare: () => {} },
	);
	const whenAgain = whenOf(again);
	const { standing } = await whenAgain("its curve", ({ live }) => live.bestCurve.length === 2);
	await again.command({ type: "revert", n: standing });
	await whenAgain("another best's curve", (s) => s.best !== standing && s.live.bestCurve.length === 2);
	await again.command({ type: "stop" });
	await again.finished;
});

test("an edit of program.md in mid-run steers the very next proposal, and its constraint is obeyed", async (t) => {
	const { lab, engine, when } = await running(t, 0.4);
	const before = await when("training 2", training(2));
	const old = before.program.version;
	lab.write("program.md", "# Leave alone\n\n- `DEPTH`\n");
	const changed = await when("the change", (s) => s.program.version !== old);
	await when("five", decided(5));
	for (const e of engine.state.experiments.slice(2)) {
		assert.equal(e.program, changed.program.version);
		assert.ok(e.changes.every(({ name }) => name !== "DEPTH"));
	}
	assert.equal(engine.state.experiments[1]!.program, old);
});

test("a deleted program.md is a notice, and the run goes on", async (t) => {
	const { lab, engine, when } = await running(t);
	await when("training 1", training(1));
	rmSync(join(lab.dir, "program.md"));
	await when("the notice", ({ notices }) =>
		notices.some(({ text }) => /program\.md is not there; version [0-9a-f]{8} stays in use/.test(text)),
	);
	const { length } = engine.state.experiments;
	await when("two more", decided(length + 1));
});

test("the console reads diffs, logs and program versions through the engine", async (t) => {
	const { engine, when } = await running(t);
	await when("2 decided", decided(2));
	assert.equal(await engine.read.diff(1), "");
	assert.match(await engine.read.diff(2), /^diff --git a\/train\.js b\/train\.js/);
	const log = await engine.read.log(2, 0, 100_000);
	assert.match(log.text, /num_steps/);
	assert.deepEqual([log.from, log.to], [0, log.size]);
	const tail = await engine.read.log(2, -40, 100);
	assert.ok(log.text.endsWith(tail.text) && tail.to === log.size);
	assert.deepEqual(
		(await engine.read.programs()).map(({ text }) => text),
		["Try what you like.\n"],
	);
	await assert.rejects(engine.read.diff(99), /there is no experiment 99/);
});
