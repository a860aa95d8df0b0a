/** A trained model continues a text with what it has learned. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { saveCheckpoint } from "../../../trainer/tensor/checkpoint.ts";
import { embedding, parameter, seeded, tensor } from "../../../trainer/tensor/index.ts";
import { draw, sample } from "../../../trainer/tensor/sample.ts";
import { device } from "./lowerings.ts";

describe("sampling", () => {
	it("continues with what the model finds likely, beyond the length it was trained on", () => {
		const dir = mkdtempSync(join(tmpdir(), "sample-"));
		try {
			// After token i comes i + 1, nearly always.
			const next = Float32Array.from({ length: 49 }, (_, i) => (i % 7 === (Math.floor(i / 7) + 1) % 7 ? 20 : 0));
			const table = parameter("next", tensor(next, [7, 7]));
			saveCheckpoint(dir, (tokens) => embedding(tokens, table), { rows: 2, length: 4, vocabSize: 7 });
			assert.deepEqual([...sample(dir, [0, 1], 9, device)], [2, 3, 4, 5, 6, 0, 1, 2, 3]);
		} finally {
			rmSync(dir, { recursive: true });
		}
	});

	it("draws tokens as often as they are likely, and none beyond the topK", () => {
		const logits = Float32Array.of(Math.log(1), Math.log(3), Math.log(0.5));
		const random = seeded(1);
		const counts = [0, 0, 0];
		for (let i = 0; i < 4000; i++) counts[draw(logits, 1, 2, random())]!++;
		assert.equal(counts[2], 0);
		assert.ok(Math.abs(counts[1]! / counts[0]! - 3) < 0.3, `${counts}`);
		assert.equal(draw(logits, 0, 50, 0.99), 1);
	});
});
