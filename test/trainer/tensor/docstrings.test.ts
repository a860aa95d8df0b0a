/** Every operation that train.ts can call says in its docstring what shape it gives, when it throws, and its source. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as library from "../../../trainer/tensor/index.ts";

const directory = join(import.meta.dirname, "../../../trainer/tensor");

/** Operations with the name and meaning of a function of `torch`, which is their source. */
const TORCH = new Set(
	(
		"abs add broadcastTo concat cos detach div embedding exp full gelu linear log matmul maximum mean minimum mul " +
		"neg ones pad permute pow relu reshape rsqrt sigmoid sign silu sin softmax sqrt square sub sum tanh tensor " +
		"transpose variance where zeros crossEntropy"
	).split(" "),
);
/** They only make leaves of a graph or name one, and have no source but this library. */
const LEAVES = new Set(["input", "scalar"]);
/** They accept every argument their types allow. */
const TOTAL = new Set(["detach", "scalar"]);

const SHAPE = /shape|\[.*\]|broadcast|scalar/s;
const SOURCE = /\b(19|20)\d\d\b|torch|Gemma|RWKV/i;

/** The docstring of each function that index.ts exports from ops/ and optim/, by name. */
const docstrings = new Map(
	globSync("{ops,optim}/*.ts", { cwd: directory }).flatMap((file) =>
		readFileSync(join(directory, file), "utf8")
			.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?export (?:function|const) (\w+)/g)
			.filter(([, , name]) => name! in library)
			.map(([, doc = "", name]): [string, string] => [name!, doc])
			.toArray(),
	),
);

describe("the docstring of every operation", () => {
	it("is read for all of them", () => {
		const missing = [...TORCH, ...LEAVES, "attention", "rmsNorm", "adamw"].filter((name) => !docstrings.has(name));
		assert.deepEqual(missing, []);
	});

	for (const [name, doc] of docstrings) {
		it(`${name}: shape, errors and source`, () => {
			assert.match(doc, SHAPE, "which shape it takes or gives");
			if (!TOTAL.has(name)) assert.match(doc, /@throws TensorError when /, "when it throws");
			if (!TORCH.has(name) && !LEAVES.has(name)) assert.match(doc, SOURCE, "a paper, a model, or torch's name for it");
		});
	}
});
