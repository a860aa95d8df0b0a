/** What the search claims about constants: the right statement for a name, and a source for each. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readConstants } from "../../../src/researcher/search/constants.ts";
import { COUPLINGS, priorOf } from "../../../src/researcher/search/priors.ts";

const TRAIN = readFileSync(new URL("../../../trainer/train.ts", import.meta.url), "utf8");

/** A publication's year, or a repository whose source or log says so. */
const SOURCE = /\((?:[^()]* )?(?:19|20)\d\d|\bnanochat\b|\bautoresearch\b|\bGemma 2\b/;

test("every constant of the training file that comes with the repository has statements with a source", () => {
	const names = readConstants("train.ts", TRAIN).map(({ name }) => name);
	assert.ok(names.length > 30);
	for (const name of names) {
		const prior = priorOf(name);
		assert.match(prior?.up ?? "", SOURCE, name);
		assert.match(prior?.down ?? "", SOURCE, name);
	}
});

for (const [name, about] of [
	["UNEMBEDDING_LR", /output/],
	["EMBEDDING_LR", /token|Adam/],
	["MATRIX_LR", /Muon/],
	["SCALAR_LR", /scalar/],
	["LEARNING_RATE", /learning rate/],
	["UNEMBEDDING_INIT_STD", /output/],
	["EMBEDDING_INIT_STD", /embedding/],
	["X0_LAMBDA_INIT", /x0/],
	["N_KV_HEAD", /keys? and values?/],
	["N_HEAD", /heads/],
	["HEAD_DIM", /dimensions/],
	["GRAD_ACCUM_STEPS", /batch/],
	["MUON_BETA2", /NorMuon/],
	["ADAM_BETA2", /beta2/],
	["MUON_MOMENTUM_WARMUP_RATIO", /momentum/],
	["MLP_RATIO", /MLP/],
	["GATED_MLP", /gate/],
	["VE_GATE_CHANNELS", /gates/],
	["QK_NORM", /queries|QK/],
	["EPS", /epsilon/],
] as const) {
	test(`what is said of ${name} is about ${name}`, () => {
		assert.match(priorOf(name)!.up!, about);
		assert.match(priorOf(name)!.down!, about);
	});
}

test("statements are clauses that fit into a sentence on one line", () => {
	const names = readConstants("train.ts", TRAIN).map(({ name }) => name);
	const clauses = names.flatMap((name) => [priorOf(name)!.up!, priorOf(name)!.down!]);
	for (const clause of [...clauses, ...COUPLINGS.flatMap(({ up, down }) => [up, down])]) {
		assert.match(clause, /^\w[^\n\t]*[^.]$/);
	}
});
