/** The training file people begin with cannot look ahead, whichever of its choices are taken; one changed line can. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { describe, it } from "node:test";
import { lookahead } from "../../../../trainer/tensor/dependence/lookahead.ts";
import { show } from "../../../../trainer/tensor/errors.ts";
import * as nn from "../../../../trainer/tensor/index.ts";

const SOURCE = readFileSync(join(import.meta.dirname, "../../../../trainer/train.ts"), "utf8");
const VOCABULARY = 11;

/** The choices that make another graph. Widths and depth make the same one larger. */
const CHOICES: Record<string, readonly unknown[]> = {
	N_KV_HEAD: [4, 1],
	ACTIVATION: ["relu2", "gelu", "silu", "tanh"],
	GATED_MLP: [false, true],
	WINDOW_PATTERN: ["L", "SL"],
	NORM: ["pre", "pre+post"],
	QK_NORM: [true, false],
	LOGIT_SOFTCAP: [15, 0],
	TIE_EMBEDDINGS: [false, true],
	VALUE_EMBEDDINGS: ["none", "alternate", "all"],
	TOKEN_SHIFT: [true, false],
	RESID_LAMBDAS: [true, false],
};

type Edits = Readonly<Record<string, string>>;

/** The file as a program, with constants set and texts replaced; small, and with no weight that starts at 0. */
function compiled(edits: Edits = {}): (constants: Record<string, unknown>) => nn.Tensor {
	let text = stripTypeScriptTypes(SOURCE)
		.replace(/^import .*$/gm, "")
		.replace(/^export /gm, "");
	const all = { ...edits, "nn.zeros([out, inputs])": "nn.uniform([out, inputs], 0.1, random)" };
	for (const [before, after] of Object.entries(all)) {
		assert.ok(text.includes(before), before);
		text = text.replaceAll(before, after);
	}
	text = text.replaceAll("nn.zeros([N_EMBD])", "nn.full([N_EMBD], 0.5)");
	// A constant is taken from `constants` where it is named there.
	text = text.replace(/^const ([A-Z0-9_]+) *= (.*?);/gm, "const $1 = constants.$1 ?? ($2);");
	const program = new Function("nn", "constants", `${text}\nreturn build;`);
	const small = { DEPTH: 2, HEAD_DIM: 4, VE_GATE_CHANNELS: 4, MAX_SEQ_LEN: 3, MLP_RATIO: 2 };
	return (constants) => program(nn, { ...small, ...constants })(VOCABULARY, 1).logits(tokens) as nn.Tensor;
}

const tokens = nn.input("tokens", [2, 3], "i32");

function* combinations(names = Object.keys(CHOICES)): Generator<Record<string, unknown>> {
	const [name, ...rest] = names;
	if (!name) return yield {};
	for (const others of combinations(rest)) for (const choice of CHOICES[name]!) yield { [name]: choice, ...others };
}

describe("trainer/train.ts", () => {
	it("is proven not to look ahead with every combination of its choices", () => {
		const logits = compiled();
		let count = 0;
		for (const constants of combinations()) {
			const found = lookahead(logits(constants), tokens);
			assert.equal(found.verdict, "none", JSON.stringify(constants));
			count++;
		}
		assert.equal(
			count,
			Object.values(CHOICES).reduce((product, { length }) => product * length, 1),
		);
	});

	const leaks: Record<string, [edits: Edits, where: RegExp]> = {
		"attention that is not causal": [{ "{ window: layer.window }": "{ causal: false }" }, /^attention \[2, 3, 4, 4\]$/],
		"a shift the other way": [
			{ "nn.shift(embedded, 1)": "nn.pad(embedded.slice(1, 1), 1, 0, 1)" },
			/^pad \[2, 3, 16\]$/,
		],
		"the next token's value embedding": [
			{ ".embedding(tokens, layer.valueEmbed)": ".embedding(nn.pad(tokens.slice(1, 1), 1, 0, 1), layer.valueEmbed)" },
			/^pad \[2, 3\]$/,
		],
		"a norm over the positions": [
			{ "nn.rmsNorm(x), lmHead": "nn.rmsNorm(x.transpose(1, 2)).transpose(1, 2), lmHead" },
			/^permute \[2, 3, 16\]$/,
		],
		"the mean of the batch": [
			{ "nn.rmsNorm(x), lmHead": "x.add(x.mean(0, { keepdim: true })), lmHead" },
			/^add \[2, 3, 16\]$/,
		],
	};
	for (const [name, [edits, where]] of Object.entries(leaks)) {
		it(`is found to look ahead with ${name}`, () => {
			const logits = compiled(edits)({});
			for (const weights of ["known", "unknown"] as const) {
				const found = lookahead(logits, tokens, weights);
				assert.equal(found.verdict, "found");
				assert.match(`${found.where!.op} ${show(found.where!.shape)}`, where);
			}
		});
	}
});
