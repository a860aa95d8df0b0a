/** A lab that holds a copy of trainer/ as version 0.1 had it: its training file runs on the library of today. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { type Edits, Lab } from "./harness.ts";

/** The training file of version 0.1, which imports every name of its library one by one. */
const OLD_TRAIN = join(import.meta.dirname, "fixtures/train-0.1.txt");
/** The model made small. */
const SMALL: Edits = { "const DEPTH = 3": "const DEPTH = 2", "const ROWS = 8": "const ROWS = 2" };

/** A lab as version 0.1 made it; loading any of its own files ends the run. */
class OldLab extends Lab {
	constructor(edits: Edits = {}) {
		super({ ...SMALL, ...edits }, OLD_TRAIN);
		for (const name of ["guest.ts", "contract.ts", "tensor/index.ts", "tensor/tensor.ts"]) {
			const path = join(dirname(this.file), name);
			mkdirSync(dirname(path), { recursive: true });
			writeFileSync(path, `throw new Error("${name} of the lab was loaded");\n`);
		}
	}
}

describe("a lab of version 0.1", () => {
	it("trains and is measured", async () => {
		const lab = new OldLab();
		const trained = await lab.train(["--budget", "2"]);
		assert.equal(trained.stderr, "");
		assert.equal(trained.code, 0);
		const measured = await lab.evaluate();
		assert.equal(measured.stderr, "");
		assert.match(measured.stdout, /^---\nval_bpb: {10}\d\.\d{6}\n/);
	});

	it("gathers gradients with `state`, the former name of `buffer`", async () => {
		const lab = new OldLab({ "ACCUMULATE: number = 1": "ACCUMULATE: number = 2" });
		assert.equal((await lab.train(["--budget", "2"])).stderr, "");
		assert.ok((lab.json("training.json").steps as number) > 0);
	});

	it("imports a library that is not that of the lab", async () => {
		const where = 'console.log(import.meta.resolve("./tensor/index.ts"));';
		const lab = new OldLab({ "export const batch": `${where}\nexport const batch` });
		assert.equal((await lab.train()).stderr, "");
		assert.match(lab.printed, /\/trainer\/tensor\/index\.ts\n$/);
		assert.ok(!lab.printed.includes(lab.dir));
	});
});
