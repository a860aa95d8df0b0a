/** An engine that is still being opened, behind the interface of one that is there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openInBackground } from "../../src/engine/deferred-engine.ts";
import { startEngine } from "../../src/engine/start.ts";
import { makeLab } from "../support/lab.ts";

test("a stop is seen at once, and reaches the engine when that is there", async (t) => {
	const lab = makeLab(t);
	let begin = () => {};
	const begun = new Promise<void>((resolve) => {
		begin = resolve;
	});
	const { engine, opened } = openInBackground(
		async (listeners) => {
			await begun;
			return startEngine({ lab: lab.dir, tag: "demo", researcher: { name: "search" }, device: "cpu" }, listeners);
		},
		async () => "program.md",
	);
	const answer = engine.command({ type: "stop" });
	assert.equal(engine.state.live.stopping, true);
	begin();
	assert.equal(await answer, "stopping");
	await engine.finished;
	assert.equal(engine.state.stopped, "stopped by hand");
	assert.equal((await opened).state.stopped, "stopped by hand");
});
