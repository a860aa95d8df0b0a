/** The reference page for researchers matches the source. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { reference } from "../../scripts/tensor-reference.ts";
import * as library from "../../trainer/tensor/index.ts";

const directory = join(import.meta.dirname, "../../trainer/tensor");

describe("the tensor reference", () => {
	it("is what its generator writes from the source today", () => {
		assert.equal(readFileSync(join(directory, "README.md"), "utf8"), reference(directory));
	});

	it("names every function train.ts can import, and fits into a prompt", () => {
		const page = reference(directory);
		const harness = ["Tensor", "TensorError", "configure", "describeCpu", "memoryForecast"];
		const formerNames = ["state"];
		for (const name of Object.keys(library)) {
			if (![...harness, ...formerNames].includes(name)) assert.ok(page.includes(`- \`${name}(`), `${name} is missing`);
		}
		assert.ok(page.length < 14_000, `${page.length} characters`);
	});

	it("has everything that train.ts uses, by the name it uses", () => {
		const page = reference(directory);
		const train = readFileSync(join(directory, "../train.ts"), "utf8");
		const used = new Set([...train.matchAll(/\bnn\.([a-z]\w*)/g)].map(([, name]) => name!));
		assert.ok(used.size > 20, `${used.size} names were read`);
		assert.deepEqual(
			[...used].filter((name) => !page.includes(`- \`${name}(`)),
			[],
		);
	});
});
