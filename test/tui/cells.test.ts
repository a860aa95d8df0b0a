/** Text measured and cut in terminal cells. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cellWidth, drawable, padTo, takeCells, truncate } from "../../src/tui/cells.ts";

test("width is counted in cells, not in characters", () => {
	assert.deepEqual(["abc", "⣿█─", "日本", "é", "👍"].map(cellWidth), [3, 3, 4, 1, 2]);
});

test("a cut says so, and never splits a wide character", () => {
	assert.equal(truncate("hypothesis", 6, "…"), "hypot…");
	assert.equal(truncate("日本語", 4, "…"), "日…");
	assert.equal(takeCells("日本語", 5), "日本");
	assert.equal(padTo("日本語", 4, "…"), "日… ");
	assert.equal(padTo("7", 3, "…", "right"), "  7");
});

test("letters whose width differs between terminals are replaced by ones whose width does not", () => {
	const agreed = "plain → 日本語 한국 🚀 👍 é Việt กิ่ง שָׁ";
	assert.equal(drawable(agreed), agreed);
	const pairs: Record<string, string> = {
		"👍🏽": "👍",
		"👨‍👩‍👧": "👨👩👧",
		"❤️ 1️⃣": "❤ 1",
		"🇩🇪🇫🇷": "DEFR",
		नमस्ते: "नमसत",
		กำ: "ก",
		"e\u0301": "é",
		"x\u0301\u0302\u0303\u0304\u0305": "x",
		"\u0301a": "a",
		"\u1112\u1161\u11ab": "한",
		"a\u200bb\u202ec\u00ad": "abc",
		"\u001b[31mred\u001b[0m\u0007": "red",
		"a\tb": "a    b",
	};
	for (const [text, shown] of Object.entries(pairs)) {
		assert.equal(drawable(text), shown);
		assert.equal(drawable(shown), shown, "drawn once is drawn for good");
		assert.equal(cellWidth(text), cellWidth(shown));
	}
});
