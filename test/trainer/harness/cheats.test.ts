/**
 * Training files that try to talk the metric round with nothing but the tensor library: each is trained, evaluated by
 * the real programs, and refused by name.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Lab } from "./harness.ts";

const LOGITS = "embedding(tokens, table) }";
const IMPORT = "import { adamw,";
const BUILD = "export function build";

/** The logits of the smallest training file, and in their place `logits`, which may call `helpers`. */
const cheat = (logits: string, helpers = "") => ({
	[IMPORT]: "import * as nn from '../../../../trainer/tensor/index.ts';\nimport { adamw,".replace(
		"../../../../trainer/",
		"./",
	),
	[LOGITS]: `${logits} }`,
	[BUILD]: `${helpers}\nexport function build`,
});

/** The logits with those of the next position in their place, where `where` [B or 1, T, 1] is 1. */
const AHEAD = `
	const ahead = (x: Tensor, where: Tensor) => x.add(nn.pad(x.slice(1, 1), 1, 0, 1).sub(x).mul(where));
	const at = (tokens: Tensor, keep: (row: number, t: number) => boolean) => {
		const [B, T] = tokens.shape as [number, number];
		const values = Array.from({ length: B * T }, (_, i) => (keep(Math.floor(i / T), i % T) ? 1 : 0));
		return nn.tensor(values, [B, T, 1]);
	};`;
const FROM_PAD =
	/^crash: the model looks ahead: from (pad|add|concat) .* on, positions depend on later tokens or on other rows\n$/;
const PROBED =
	/^crash: the model looks ahead: losses change with the tokens after their position or with other rows\n$/;
const EITHER = /^crash: the model looks ahead/;

const CHEATS: Record<string, [edits: Record<string, string>, reason: RegExp]> = {
	"looks one token ahead everywhere": [
		cheat("nn.concat([nn.embedding(tokens, table).slice(1, 1), nn.embedding(tokens, table).slice(1, 0, 1)], 1)"),
		FROM_PAD,
	],
	"looks ahead except at the positions that the seed of build() gave the old check": [
		cheat("ahead(nn.embedding(tokens, table), at(tokens, (row, t) => t !== (seed * 7919 + row * 31) % 255))", AHEAD),
		EITHER,
	],
	"looks ahead only in rows whose first tokens are not those of the first batch": [
		cheat(
			"ahead(nn.embedding(tokens, table), nn.step(nn.embedding(tokens, gate).slice(1, 2, 3).add(0.1)))",
			`${AHEAD}\nconst gate = nn.parameter("gate", nn.normal([320, 1], 1, nn.seeded(3)));`,
		),
		EITHER,
	],
	"looks ahead at positions 0 to 4 of rows 2 to 15": [
		cheat("ahead(nn.embedding(tokens, table), at(tokens, (row, t) => row >= 2 && t < 5))", AHEAD),
		EITHER,
	],
	"looks ahead at twelve positions": [
		cheat("ahead(nn.embedding(tokens, table), at(tokens, (_, t) => t % 20 === 7))", AHEAD),
		EITHER,
	],
	"looks ahead at one position": [
		cheat("ahead(nn.embedding(tokens, table), at(tokens, (_, t) => t === 100))", AHEAD),
		EITHER,
	],
	"looks ahead by less than a tolerance": [
		cheat("ahead(nn.embedding(tokens, table), nn.full([1, 1, 1], 1e-4))", AHEAD),
		EITHER,
	],
	"looks ahead through a number that hides behind an infinity": [
		// Where the next token makes a value infinite, attention's 0 times it is NaN, and relu makes that 0 again.
		cheat(
			"logitsOf(tokens, table)",
			`const wild = nn.parameter("wild", nn.uniform([320, 1], 200, nn.seeded(5)));
			const logitsOf = (tokens: Tensor, table: Tensor) => {
				const [B, T] = tokens.shape as [number, number];
				const value = nn.exp(nn.embedding(tokens, wild)).reshape([B, T, 1, 1]);
				const still = nn.embedding(tokens, wild).mul(0).reshape([B, T, 1, 1]);
				const bit = nn.step(nn.attention(still, still, value).add(1)).reshape([B, T, 1]);
				return nn.embedding(tokens, table).mul(bit.add(1));
			};`,
		),
		PROBED,
	],
	"looks at the mean of the batch": [
		cheat("nn.embedding(tokens, table).add(nn.embedding(tokens, table).mean([0], { keepdim: true }))"),
		FROM_PAD,
	],
	"looks at the other rows' future": [
		cheat("nn.embedding(tokens, table).add(nn.embedding(tokens, table).mean([0, 1], { keepdim: true }))"),
		FROM_PAD,
	],
	"adds 10^10 to the logits": [
		cheat("nn.embedding(tokens, table).add(1e10)"),
		/^crash: the model cannot be measured: \d+ logits are beyond ±10000: no model needs such logits\n$/,
	],
	"adds -2^26 to the logits when they are measured alone": [
		cheat("tokens.dim(0) === 16 ? nn.embedding(tokens, table).add(-(2 ** 26)) : nn.embedding(tokens, table)"),
		/^crash: the model cannot be measured: \d+ logits are beyond ±10000: no model needs such logits\n$/,
	],
};

describe("a training file that", { concurrency: 2 }, () => {
	for (const [name, [edits, reason]] of Object.entries(CHEATS)) {
		it(`${name} is refused`, async () => {
			const lab = new Lab(edits);
			const trained = await lab.train();
			assert.equal(trained.stderr, "", trained.stdout);
			const { code, stdout, stderr } = await lab.evaluate();
			assert.match(stderr, reason, stdout);
			assert.equal(code, 1);
		});
	}
});
