/** The BPE trainer against a naive implementation, and the encoder against the tokens it learned. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { countPretokens, trainBpe } from "../../prepare/bpe.ts";
import { SPLIT_PATTERN } from "../../prepare/constants.ts";
import { Tokenizer } from "../../prepare/tokenizer.ts";
import { tokenBytes, tokenizerFile } from "../../prepare/tokenizer-file.ts";
import { story } from "./corpora.ts";

function pretokens(text: string): Map<string, number> {
	const counts = new Map<string, number>();
	countPretokens(text, new RegExp(SPLIT_PATTERN, "gu"), counts);
	return counts;
}

const strings = (tokens: Uint8Array[]) => tokens.slice(256).map((bytes) => Buffer.from(bytes).toString("utf8"));

test("the most frequent pair is merged first, of equals the one with the smallest ids", async () => {
	assert.deepEqual(
		strings(
			await trainBpe(
				new Map([
					["abab", 3],
					["abc", 1],
					["xyz", 2],
				]),
				259,
			),
		),
		["ab", "abab", "xy"],
	);
	assert.deepEqual(
		strings(
			await trainBpe(
				new Map([
					["cd", 1],
					["ab", 1],
				]),
				258,
			),
		),
		["ab", "cd"],
	);
});

test("a run of one letter is merged without counting a letter twice", async () => {
	assert.deepEqual(strings(await trainBpe(new Map([["aaaaa", 10]]), 300)), ["aa", "aaa", "aaaaa"]);
});

/** Byte-pair encoding in its simplest form: counts every pair again for each merge. */
function blackboard(counts: Map<string, number>, size: number): string[] {
	const tokens = Array.from({ length: 256 }, (_, byte) => Buffer.of(byte));
	const words = [...counts].map(([text, count]) => ({ ids: [...Buffer.from(text)], count }));
	while (tokens.length < size) {
		const pairs = new Map<number, number>();
		for (const { ids, count } of words)
			for (let i = 0; i + 1 < ids.length; i++) {
				const pair = ids[i]! * 65536 + ids[i + 1]!;
				pairs.set(pair, (pairs.get(pair) ?? 0) + count);
			}
		const [best] = [...pairs].sort(([a, n], [b, m]) => m - n || a - b);
		if (!best) break;
		const [left, right] = [Math.floor(best[0] / 65536), best[0] % 65536];
		for (const word of words)
			for (let i = 0; i + 1 < word.ids.length; i++)
				if (word.ids[i] === left && word.ids[i + 1] === right) word.ids.splice(i, 2, tokens.length);
		tokens.push(Buffer.concat([tokens[left]!, tokens[right]!]));
	}
	return tokens.slice(256).map((bytes) => bytes.toString("latin1"));
}

test("the incremental training learns what counting every pair again would", async () => {
	const counts = pretokens(Array.from({ length: 20 }, (_, i) => story(i)).join("\n"));
	const learned = await trainBpe(counts, 420);
	assert.deepEqual(
		learned.slice(256).map((bytes) => Buffer.from(bytes).toString("latin1")),
		blackboard(counts, 420),
	);
});

test("text is cut into words, contractions, numbers of two digits, punctuation and line ends", () => {
	assert.deepEqual(
		[..."It's 1848, isn't it?\n\nWe'LL see…  (naïvely) 🦉x".matchAll(new RegExp(SPLIT_PATTERN, "gu"))].map(([m]) => m),
		[
			"It",
			"'s",
			" ",
			"18",
			"48",
			",",
			" isn",
			"'t",
			" it",
			"?\n\n",
			"We",
			"'LL",
			" see",
			"…",
			" ",
			" (",
			"naïvely",
			")",
			" 🦉",
			"x",
		],
	);
});

test("encoding and decoding gives the text back, whatever it is", async () => {
	using tokenizer = new Tokenizer(tokenizerFile(await trainBpe(pretokens(story(1)), 316)));
	assert.equal(tokenizer.vocabSize, 320);
	assert.equal(tokenizer.bosId, 316);
	const texts = [
		story(1),
		story(99),
		"",
		" ",
		"\r\n\t",
		"日本語 и русский",
		"<|reserved_0|>",
		"🦉".repeat(50),
		"\u0000\u0085\ufeff",
	];
	for (const text of texts) {
		const ids = tokenizer.encode(text);
		assert.equal(tokenizer.decode(ids), text);
		assert.ok(
			ids.every((id) => id < tokenizer.bosId),
			"text never becomes a reserved token",
		);
	}
});

test("encoding takes the earliest merges first", async () => {
	using tokenizer = new Tokenizer(
		tokenizerFile(
			await trainBpe(
				new Map([
					["abab", 3],
					["abc", 1],
					["xyz", 2],
				]),
				259,
			),
		),
	);
	assert.deepEqual([...tokenizer.encode("ababc")], [257, "c".charCodeAt(0)]);
});

test("every token knows how many bytes of text it stands for, reserved tokens none", async () => {
	const file = tokenizerFile(await trainBpe(pretokens("ééé"), 258));
	const bytes = tokenBytes(file);
	assert.deepEqual([...bytes.slice(255)], [1, 2, 4, 0, 0, 0, 0]);
});
