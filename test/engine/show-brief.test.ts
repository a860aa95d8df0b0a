/** `--show-brief` prints what the researcher would be given, and changes nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { showBrief } from "../../src/engine/show-brief.ts";
import { change, repeated, startRun } from "../loop/model-run.ts";

test("while one trains, the brief shown is the next one's, with that one as not decided", async (t) => {
	const { run, when } = await startRun(t, repeated(change("DEPTH", "4", "5")), { seconds: 5, draftAhead: false });
	await when("2 trains", ({ live }) => live.phase === "training" && live.n === 2);
	const text = await showBrief(run);
	assert.match(text, /Propose experiment 3\./);
	assert.match(text, /in training now, not decided[\s\S]*#2 Set DEPTH to 5/);
});
