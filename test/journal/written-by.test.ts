/** A journal written by an earlier version opens, folds and carries on. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { resultsTsv } from "../../src/journal/results-tsv.ts";
import { best, inFlight } from "../../src/journal/state.ts";
import { Store } from "../../src/journal/store.ts";
import { tempDir } from "../support/lab.ts";

test("a journal of 0.1.0 folds to its four experiments, and the next one is recorded behind them", async (t) => {
	const path = join(tempDir(t), "journal.jsonl");
	copyFileSync(join(import.meta.dirname, "written-by/0.1.0.jsonl"), path);
	const store = new Store(path);
	t.after(() => store.close());
	const { state } = store;
	assert.deepEqual(
		state.experiments.map(({ n, status, value }) => [n, status, value]),
		[
			[1, "keep", 2.172912],
			[2, "keep", 2.157558],
			[3, "discard", 2.292109],
			[4, "discard", 2.505576],
		],
	);
	assert.equal(best(state)?.n, 2);
	assert.equal(state.stopped, "4 experiments done");
	assert.match(resultsTsv(state), /^5dc3a04\t2\.157558\t\S+\tkeep\tLower LENGTH to 128 and raise ROWS to 12$/m);

	const { seq } = state;
	const run = { budgetSeconds: 3, researcher: "search", seed: 1, device: "cpu" };
	await store.emit({ type: "run.continued", ...run });
	const parent = best(state)!.commit!;
	const now = await store.emit({ type: "experiment.started", n: 5, parent, program: "3063c8a7", researcher: "search" });
	assert.equal(inFlight(now)?.n, 5);
	assert.equal(now.stopped, undefined);
	assert.equal(JSON.parse(readFileSync(path, "utf8").trimEnd().split("\n").at(-1)!).seq, seq + 2);
});
