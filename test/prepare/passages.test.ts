/** Passages join to the document they were cut from, within their bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { passages } from "../../prepare/passages.ts";
import { story } from "./corpora.ts";

test("a long document is cut into passages of one to two thousand characters, and no character is lost", () => {
	const text = story(7, 2000);
	const cut = [...passages(text)];
	assert.ok(cut.length > 10);
	for (const passage of cut.slice(0, -1)) assert.ok(passage.length > 950 && passage.length <= 2000);
	assert.equal(cut.join("").replace(/\s/g, ""), text.replace(/\s/g, ""));
});

test("a passage ends with a paragraph if it can, else with a sentence, a line, a word", () => {
	const filler = (length: number) => "x".repeat(length);
	const first = (text: string) => [...passages(text)][0]!.length;
	assert.equal(first(`${filler(1200)}\n\n${filler(300)}. ${filler(3000)}`), 1200);
	assert.equal(first(`${filler(1200)}.” ${filler(300)} ${filler(3000)}`), 1202);
	assert.equal(first(`${filler(1200)}\n${filler(300)} ${filler(3000)}`), 1200);
	assert.equal(first(`${filler(1200)} ${filler(3000)}`), 1200);
	assert.equal(first(`${filler(100)}. ${filler(3000)}`), 2000, "a cut too early would make a crumb");
	assert.equal(first(`${filler(1999)}🦉${filler(1000)}`), 1999, "a character is never cut in two");
});

test("a short document is one passage and an empty one none", () => {
	assert.deepEqual([...passages("  Four score.  ")], ["Four score."]);
	assert.deepEqual([...passages(" \n ")], []);
});
