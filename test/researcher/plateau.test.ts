/** The kind of change that is asked for when nothing has been kept for a while. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mode } from "../../src/journal/events.ts";
import type { Experiment } from "../../src/journal/state.ts";
import { planNext } from "../../src/researcher/plateau.ts";
import { record } from "./search/simulated-run.ts";

/** A baseline, two keeps and a line of discards on the last, one of them nearly as good. */
function plateau(discards: number): Experiment[] {
	const history = [
		record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 2 }),
		record({ n: 2, parent: "c0", commit: "c2", status: "keep", value: 1.9 }),
		record({ n: 3, parent: "c2", commit: "c3", status: "keep", value: 1.8 }),
	];
	for (let i = 1; i <= discards; i++) {
		const n = 3 + i;
		history.push(
			record({ n, parent: "c3", commit: `c${n}`, status: "discard", value: n === 9 ? 1.801 : 1.9 + n / 1000 }),
		);
	}
	return history;
}

const lower = { direction: "lower" } as const;
const plan = (discards: number) => planNext(plateau(discards), 3, lower);

test("the longer nothing wins, the further the search goes from what it did", () => {
	const modes: [discards: number, mode: Mode][] = [
		[0, "open"],
		[7, "open"],
		[8, "other-family"],
		[14, "combine"],
		[20, "bold"],
		[28, "restart"],
		[37, "restart"],
		[38, "other-family"],
		[58, "restart"],
	];
	for (const [discards, mode] of modes) assert.equal(plan(discards).mode, mode, String(discards));
});

test("a win ends the plateau", () => {
	const history = [...plateau(30), record({ n: 34, parent: "c3", commit: "c34", status: "keep", value: 1.7 })];
	assert.deepEqual(planNext(history, 34, lower), { mode: "open", base: 34, stale: 0 });
});

test("only a restart builds on another experiment than the best", () => {
	for (const discards of [0, 10, 15, 25, 40]) assert.equal(plan(discards).base, 3);
});

test("the first restart builds on the most promising discard, the second on an earlier keep", () => {
	assert.equal(plan(28).base, 9);
	assert.equal(plan(58).base, 2);
});

test("a restart goes on from the best of its own line", () => {
	const history = plateau(28);
	history.push(record({ n: 32, parent: "c9", commit: "c32", status: "discard", value: 1.8005 }));
	assert.equal(planNext(history, 3, lower).base, 32);
	history.push(record({ n: 33, parent: "c32", commit: "c33", status: "discard", value: 1.95 }));
	assert.equal(planNext(history, 3, lower).base, 32);
});

test("where higher is better, the most promising discard is the highest", () => {
	const history = plateau(28).map((e) => ({ ...e, value: -e.value! }));
	assert.equal(planNext(history, 3, { direction: "higher" }).base, 9);
});

test("a run of crashes has nowhere to restart from and stays with the best", () => {
	const history = [record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 2 })];
	for (let n = 2; n < 32; n++) history.push(record({ n, parent: "c0", commit: `c${n}`, status: "crash" }));
	assert.equal(planNext(history, 1, lower).base, 1);
});
