/** Text from outside made safe for a terminal and for one line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { oneLine, printable } from "../src/text.ts";

test("escape sequences, control characters and invisible format characters never reach the screen", () => {
	assert.equal(printable("\u001b[31mred\u001b[0m\u0007 \u001b]0;title\u0007a\tb"), "red a    b");
	assert.equal(printable("a\u001b[1;31mred\u0007\u001b]0;title\u0007b\u009b"), "aredb");
	assert.equal(printable("a\u202eb\u2028c"), "abc");
});

test("what overwrites itself with carriage returns shows its last state", () => {
	assert.equal(printable("10%\r50%\r100%\r"), "100%");
});

test("one line has single blanks, no control characters, and says where it was cut", () => {
	assert.equal(oneLine("  two\n\tlines\u0000 "), "two lines");
	assert.equal(oneLine("abcdef", 4), "abc…");
	assert.equal(oneLine("abcd", 4), "abcd");
});
