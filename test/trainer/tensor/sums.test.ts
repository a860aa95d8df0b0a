/** Long sums: their error does not grow with the number of elements. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../trainer/tensor/index.ts";
import { lowerings } from "./lowerings.ts";

for (const lowering of lowerings) {
	describe(`sums by ${lowering.name}`, () => {
		for (const [rows, width] of [
			[1_000_003, 1],
			[1_000_003, 4],
			[262_144, 20],
			[2048, 1100],
		] as const) {
			it(`of [${rows}, ${width}] over either dimension or both are right to 1e-6`, () => {
				// Equal elements are the worst case: every addition to a total in f32 rounds the same way.
				const x = t.input("x", [rows, width]);
				const outputs = { down: x.sum(0), across: x.sum(1), all: x.sum(), mean: x.mean(0) };
				const program = t.compile(outputs, [], lowering);
				const value = Math.fround(0.1);
				const { down, across, all, mean } = program.run({ x: new Float32Array(rows * width).fill(value) });
				program.close();
				const close = (name: string, actual: Float32Array, wanted: number) => {
					const worst = Math.max(...actual.slice(0, 1000).map((y) => Math.abs(y / wanted - 1)));
					assert.ok(worst < 1e-6, `${name}: ${actual[0]}, not ${wanted}`);
				};
				close("sum(0)", down.data, rows * value);
				close("sum(1)", across.data, width * value);
				close("sum()", all.data, rows * width * value);
				close("mean(0)", mean.data, value);
			});
		}
	});
}
