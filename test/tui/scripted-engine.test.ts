/** The scripted engine against the real one: the same commands lead to the same events and phases. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Command, Engine } from "../../src/engine/engine.ts";
import { type RunOptions, startEngine } from "../../src/engine/start.ts";
import type { JournalEvent, Tick } from "../../src/journal/events.ts";
import type { Experiment, State } from "../../src/journal/state.ts";
import { makeLab, tempDir } from "../support/lab.ts";
import { whenOf } from "../support/when.ts";
import { playTraining } from "./scenarios.ts";
import { openScriptedEngine, settled } from "./scripted-engine.ts";

/** The commands in their order, each made from the state at that time. */
const STEPS: readonly [name: string, command: (state: State) => Command][] = [
	["pause after the experiment", () => ({ type: "pause" })],
	["pause now", () => ({ type: "pause-now" })],
	["resume", () => ({ type: "resume" })],
	["skip", ({ live }) => ({ type: "skip", n: live.n })],
	["base", (state) => ({ type: "base", n: discardedOnBase(state) })],
	["revert", ({ standing }) => ({ type: "revert", n: standing })],
	["keep", (state) => ({ type: "keep", n: discardedOnBase(state) })],
	["approve mode", () => ({ type: "approval", on: true })],
	["skip in approve mode", ({ live }) => ({ type: "skip", n: live.n })],
	["reject", ({ live }) => ({ type: "reject", n: live.n })],
	["approve", ({ live }) => ({ type: "approve", n: live.n })],
	["pause now, approved", () => ({ type: "pause-now" })],
	["skip while paused", ({ experiments }) => ({ type: "skip", n: experiments.length })],
	["resume with the next experiment", () => ({ type: "resume" })],
	["stop", () => ({ type: "stop" })],
];

/** A measured and discarded experiment that was built on the commit the branch is on. */
function findDiscardedOnBase({ experiments, standing }: State): Experiment | undefined {
	const base = experiments[standing - 1]!.commit;
	return experiments.findLast((e) => e.status === "discard" && e.value !== undefined && e.parent === base);
}

function discardedOnBase(state: State): number {
	return findDiscardedOnBase(state)!.n;
}

interface Step {
	name: string;
	answer: string;
	/** The events and phases that followed, with every number written as N. */
	lines: string[];
}

/** Gives the commands one by one; a real engine gets the next after as many lines as `expected` has for the step. */
async function record(engine: Engine, expected?: readonly Step[]): Promise<Step[]> {
	const when = whenOf(engine);
	const steps: Step[] = [];
	const stop = engine.subscribe((_, event) => steps.at(-1)!.lines.push(...lineOf(event)));
	for (const [i, [name, command]] of STEPS.entries()) {
		const step: Step = { name, answer: "", lines: [] };
		steps.push(step);
		step.answer = withoutNumbers(await engine.command(command(engine.state)));
		if (expected) await when(`what follows ${name}`, () => step.lines.length >= expected[i]!.lines.length);
		else await settled();
	}
	stop();
	return steps;
}

function lineOf(event: JournalEvent | Tick): string[] {
	if (event.type === "tick.phase") return [`phase ${event.phase}`];
	if (event.type.startsWith("tick.")) return [];
	const { type, ...body } = event as JournalEvent & { status?: string; reason?: string };
	return [withoutNumbers([type, body.status, body.reason].filter(Boolean).join(" "))];
}

const withoutNumbers = (text: string) => text.replace(/\d+/g, "N");

/** A real engine with a few decided experiments and one whose training does not end. */
async function realEngine(t: TestContext): Promise<Engine> {
	const hold = join(tempDir(t), "hold");
	const lab = makeLab(t, { lab: { budget: "600s" } });
	const trainer = `import fs from "node:fs";
import { value } from "./train.js";
fs.writeFileSync(process.env.AUTORESEARCH_OUT + "/value", String(value()));
while (fs.existsSync(${JSON.stringify(hold)})) await new Promise((done) => setTimeout(done, 20));
console.log("---\\nnum_steps: 2");
`;
	lab.write("trainer.js", trainer);
	lab.git("commit", "--quiet", "--all", "--message", "a trainer that can be held");
	const options: RunOptions = { lab: lab.dir, tag: "demo", researcher: { name: "search" }, device: "cpu", seed: 1 };
	// The commands need a discarded experiment on the commit the branch is on: a last keep is followed by one more.
	for (let experiments = 8, isComplete = false; !isComplete; experiments++) {
		const history = await startEngine({ ...options, limits: { experiments } }, { onPrepare: () => {} });
		await history.finished;
		isComplete = findDiscardedOnBase(history.state) !== undefined;
	}
	writeFileSync(hold, "");
	const engine = await startEngine(options, { onPrepare: () => {} });
	t.after(async () => {
		rmSync(hold, { force: true });
		await engine.command({ type: "stop" });
		await engine.finished;
	});
	await whenOf(engine)("training", ({ live }) => live.phase === "training");
	return engine;
}

test("its loop does what the real loop does", async (t) => {
	const real = await realEngine(t);
	const scripted = openScriptedEngine({ decided: 12 });
	t.after(() => scripted.close());
	await playTraining(scripted);
	await scripted.measure(2);
	const steps = await record(scripted);
	assert.deepEqual(await record(real, steps), steps);
});
