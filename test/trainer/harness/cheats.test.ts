/**
 * Models that try to talk the metric round with nothing but the tensor library. Each is refused by name: as a training
 * file before its budget begins where its graph is enough, else when it is evaluated; and as a checkpoint, for what
 * writes one is not to be trusted.
 */
import assert from "node:assert/strict";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { describe, it } from "node:test";
import { EVAL_BATCH_ROWS, SEQUENCE_LENGTH } from "../../../prepare/constants.ts";
import { saveCheckpoint } from "../../../trainer/tensor/checkpoint.ts";
import * as nn from "../../../trainer/tensor/index.ts";
import { data, Lab } from "./harness.ts";

/** What the logits are, for `tokens`, `table` and `seed`; and declarations before it. */
interface Cheat {
	logits: string;
	helpers?: string;
	reason: RegExp;
	/** When the training file is refused. */
	at: "start" | "evaluation";
}

/** The logits of the next position in place of the present one's, where `where` is 1. */
const AHEAD = `
	const ahead = (x: nn.Tensor, where: nn.Tensor) => x.add(nn.pad(x.slice(1, 1), 1, 0, 1).sub(x).mul(where));
	const at = (tokens: nn.Tensor, keep: (row: number, t: number) => boolean) => {
		const [B, T] = tokens.shape as [number, number];
		const values = Array.from({ length: B * T }, (_, i) => (keep(Math.floor(i / T), i % T) ? 1 : 0));
		return nn.tensor(values, [B, T, 1]);
	};`;
const GRAPH =
	/^crash: the model looks ahead: from \w+ \[.*\] (\(train\.ts:\d+\) )?on, positions depend on later tokens or/;
const PROBE = /^crash: the model looks ahead: losses change with the tokens after their position or with other rows\n$/;
const HUGE = /^crash: the model cannot be measured: \d+ logits are beyond ±10000: no model needs such logits\n$/;
const found = (logits: string, helpers?: string): Cheat => ({ logits, helpers, reason: GRAPH, at: "start" });

const CHEATS: Record<string, Cheat> = {
	"looks one token ahead everywhere": found(
		"nn.concat([nn.embedding(tokens, table).slice(1, 1), nn.embedding(tokens, table).slice(1, 0, 1)], 1)",
	),
	"looks ahead except at positions drawn from the seed of build()": found(
		"ahead(nn.embedding(tokens, table), at(tokens, (row, t) => t !== (seed * 7919 + row * 31) % 255))",
		AHEAD,
	),
	"looks ahead only where the text does not begin like the first batch": found(
		"ahead(nn.embedding(tokens, table), nn.step(nn.embedding(tokens, gate).slice(1, 2, 3).add(0.1)))",
		`${AHEAD}\nconst gate = nn.parameter("gate", nn.normal([320, 1], 1, nn.seeded(3)));`,
	),
	"looks ahead at positions 0 to 4 of rows 2 to 15": found(
		"ahead(nn.embedding(tokens, table), at(tokens, (row, t) => row >= 2 && t < 5))",
		AHEAD,
	),
	"looks ahead at twelve positions": found(
		"ahead(nn.embedding(tokens, table), at(tokens, (_, t) => t % 20 === 7))",
		AHEAD,
	),
	"looks ahead at one position": found("ahead(nn.embedding(tokens, table), at(tokens, (_, t) => t === 100))", AHEAD),
	"looks ahead by less than a tolerance": found("ahead(nn.embedding(tokens, table), nn.full([1, 1, 1], 1e-4))", AHEAD),
	"looks ahead through a number that hides behind an infinity": {
		// Where a later token makes a value infinite, attention's 0 times it is NaN, and step makes that 0 again.
		logits: "nn.embedding(tokens, table).mul(bit(tokens).add(1))",
		helpers: `const wild = nn.parameter("wild", nn.uniform([320, 1], 200, nn.seeded(5)));
			const bit = (tokens: nn.Tensor) => {
				const [B, T] = tokens.shape as [number, number];
				const value = nn.exp(nn.embedding(tokens, wild)).reshape([B, T, 1, 1]);
				const still = nn.embedding(tokens, wild).mul(0).reshape([B, T, 1, 1]);
				return nn.step(nn.attention(still, still, value).add(1)).reshape([B, T, 1]);
			};`,
		reason: PROBE,
		at: "evaluation",
	},
	"looks ahead through a mask that is a weight": {
		logits: "mixed(nn.rmsNorm(nn.embedding(tokens, table)))",
		helpers: `const mask = nn.parameter("mask", nn.tensor(
				Array.from({ length: 256 * 256 }, (_, i) => (i % 256 <= Math.floor(i / 256) + 1 ? 0 : -1e9)), [256, 256]));
			const mixed = (x: nn.Tensor) => nn.matmul(nn.softmax(nn.matmul(x, x, { transposeB: true }).mul(0.01)
				.add(mask.slice(0, 0, x.dim(1)).slice(1, 0, x.dim(1)))), x);`,
		reason: PROBE,
		at: "evaluation",
	},
	"looks at the mean of the batch": found(
		"nn.embedding(tokens, table).add(nn.embedding(tokens, table).mean([0], { keepdim: true }))",
	),
	"looks at the other rows' future": found(
		"nn.embedding(tokens, table).add(nn.embedding(tokens, table).mean([0, 1], { keepdim: true }))",
	),
	"adds 10^10 to the logits": { logits: "nn.embedding(tokens, table).add(1e10)", reason: HUGE, at: "evaluation" },
	"adds -2^26 to the logits where they are measured": {
		logits: "tokens.dim(0) === 16 ? nn.embedding(tokens, table).add(-(2 ** 26)) : nn.embedding(tokens, table)",
		reason: HUGE,
		at: "evaluation",
	},
};

for (const [name, { logits, helpers = "", reason, at }] of Object.entries(CHEATS)) {
	describe(`a model that ${name}`, () => {
		it(`is refused as a training file, at its ${at}`, async () => {
			const lab = new Lab({
				"import { adamw,": "import * as nn from './tensor/index.ts';\nimport { adamw,",
				"embedding(tokens, table) }": `${logits} }`,
				"export function build": `${helpers}\nexport function build`,
			});
			const trained = await lab.train();
			const refused = at === "start" ? trained : await lab.evaluate();
			assert.match(refused.stderr, reason, refused.stdout);
			assert.equal(refused.code, 1);
		});

		it("is refused as a checkpoint", async () => {
			const lab = new Lab();
			const table = nn.parameter("table", nn.normal([data.vocabSize, data.vocabSize], 1, nn.seeded(1)));
			const program = `${stripTypeScriptTypes(helpers)}\nreturn (tokens) => (${logits});`;
			const model = new Function("nn", "table", "seed", program)(nn, table, 1) as (tokens: nn.Tensor) => nn.Tensor;
			const shape = { rows: EVAL_BATCH_ROWS, length: SEQUENCE_LENGTH, vocabSize: data.vocabSize };
			saveCheckpoint(join(lab.out, "model"), model, shape);
			const { code, stderr, stdout } = await lab.evaluate();
			assert.match(stderr, reason, stdout);
			assert.equal(code, 1);
		});
	});
}
