/** What is refused of a training file before any time is spent on it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { preflight } from "../../src/runner/preflight.ts";

test("a training file that does not parse is refused with its line", () => {
	assert.match(preflight("trainer/train.ts", "const A = 1;\nconst B = ;\n")!, /^trainer\/train\.ts:2: syntax error/);
});

test("a training file may import the tensor library and nothing of the machine", () => {
	const good =
		'import { add } from "./tensor/index.ts";\nimport type { Batch } from "./contract.ts";\nexport const x = add;\n';
	assert.equal(preflight("train.ts", good), undefined);
	assert.match(preflight("train.ts", `${good}import fs from "node:fs";\n`)!, /^train\.ts:4: imports "node:fs"/);
	assert.match(preflight("train.ts", `${good}await import("node:fs");\n`)!, /train\.ts:4: .*run time/);
	assert.match(preflight("train.ts", `${good}export * from "../prepare/dataset.ts";\n`)!, /train\.ts:4: imports/);
});
