/** The brief of a lab that has a trainer of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { showBrief } from "../../../src/engine/show-brief.ts";
import { makeLab } from "../../support/lab.ts";

test("the brief of a lab of one's own says when its trainer is ended", async (t) => {
	const { dir } = makeLab(t, { lab: { budget: "5m", timeout: "8m" } });
	const brief = await showBrief({ lab: dir, researcher: { name: "claude-code" } });
	assert.match(brief, /Its budget, 300 seconds,/);
	assert.match(brief, /after 480 seconds it is ended/);
	assert.match(brief, /You build on experiment 1\./);
});
