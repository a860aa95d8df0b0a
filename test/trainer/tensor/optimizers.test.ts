/** The optimizers' steps against the formulas of their papers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../trainer/tensor/index.ts";
import { orthogonalise } from "../../../trainer/tensor/optim/muon.ts";
import { release } from "../../../trainer/tensor/storage.ts";
import { lowerings } from "./lowerings.ts";
import { assertClose, evaluate, random } from "./numeric.ts";

for (const lowering of lowerings) {
	describe(`optimizers: ${lowering.name}`, () => {
		it("AdamW takes the steps of its paper", () => {
			const start = random(15, 1);
			const w = t.parameter("w", t.tensor(start, [3, 5]));
			const g = t.input("g", [3, 5]);
			const options = { lr: 0.1, beta1: 0.8, beta2: 0.95, eps: 1e-8, weightDecay: 0.3 };
			const program = t.compile({}, t.adamw([w], [g], options), lowering);
			const expected = Float64Array.from(start);
			const [mean, variance] = [new Float64Array(15), new Float64Array(15)];
			for (let step = 1; step <= 4; step++) {
				const gradient = random(15, 10 + step);
				program.run({ g: gradient });
				gradient.forEach((gi, i) => {
					mean[i] = 0.8 * mean[i]! + 0.2 * gi;
					variance[i] = 0.95 * variance[i]! + 0.05 * gi * gi;
					const direction = mean[i]! / (1 - 0.8 ** step) / (Math.sqrt(variance[i]! / (1 - 0.95 ** step)) + 1e-8);
					expected[i] = expected[i]! * (1 - 0.1 * 0.3) - 0.1 * direction;
				});
			}
			assertClose(t.read(w), expected, 1e-5);
			program.close();
			release([w]);
		});

		it("AdamW without momentum divides by the running size of the gradient alone", () => {
			const w = t.parameter("w", t.zeros([2]));
			const g = t.input("g", [2]);
			const program = t.compile({}, t.adamw([w], [g], { lr: 0.1, beta1: 0, beta2: 0 }), lowering);
			program.run({ g: Float32Array.of(5, -3) });
			program.run({ g: Float32Array.of(-2, -7) });
			assertClose(t.read(w), [0, 0.2], 1e-5);
			program.close();
			release([w]);
		});

		for (const shape of [
			[2, 9, 21],
			[3, 21, 9],
		]) {
			it(`Muon makes the rows or columns of ${shape.join(" × ")} nearly orthonormal`, () => {
				const x = orthogonalise(t.tensor(random(shape[0]! * 189, 3), shape), 5);
				const wide = shape[1]! < shape[2]!;
				const gram = evaluate(t.matmul(x, x, { transposeA: !wide, transposeB: wide }), {}, lowering);
				gram.forEach((value, i) => {
					const onDiagonal = Math.floor(i / 9) % 9 === i % 9;
					assert.ok(Math.abs(value - (onDiagonal ? 1 : 0)) < 0.3, `element ${i} is ${value}`);
				});
			});
		}

		it("Muon's evened update gives every row the same size in the long run, and the matrix the same norm", () => {
			const w = t.parameter("w", t.zeros([6, 4]));
			const g = t.input("g", [6, 4]);
			const program = t.compile({}, t.muon([w], [g], { lr: 1, momentum: 0, beta2: 0.5 }), lowering);
			const gradient = random(24, 5).map((v, i) => v * (1 + Math.floor(i / 4)));
			for (let step = 0; step < 30; step++) program.run({ g: gradient });
			const before = t.read(w);
			program.run({ g: gradient });
			const step = t.read(w).map((v, i) => before[i]! - v);
			const power = Array.from({ length: 6 }, (_, r) =>
				step.slice(4 * r, 4 * r + 4).reduce((sum, v) => sum + v * v, 0),
			);
			for (const p of power) assert.ok(Math.abs(p / power[0]! - 1) < 1e-3, `${power}`);
			// Orthonormal columns have norm sqrt(4); tall matrices step by sqrt(6 / 4) times that.
			assert.ok(Math.abs(Math.sqrt(power.reduce((a, b) => a + b)) - Math.sqrt(6)) < 0.2, `${power}`);
			program.close();
			release([w]);
		});
	});
}
