/** One optimizer for programs of several batch shapes: two by accident are refused, one shared steps as it should. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../trainer/tensor/index.ts";
import { device } from "./lowerings.ts";
import { assertClose } from "./numeric.ts";

t.configure(device);

function lossOf(w: t.Parameter, rows: number) {
	return t.input("x", [rows, 4]).mul(w).sum(-1).sub(1).square().mean();
}

const feed = (rows: number) => ({ x: Float32Array.from({ length: rows * 4 }, (_, i) => i % 3) });

/** A program that steps on batches of `rows`, with an optimizer of its own. */
function stepping(w: t.Parameter, rows: number) {
	const loss = lossOf(w, rows);
	return t.compile({ loss }, t.adamw([w], t.grad(loss, [w]), { lr: 0.01 }));
}

describe("buffers of one name", () => {
	it("are refused in two open programs, with the way that works", () => {
		const w = t.parameter("w", t.zeros([4]));
		const small = stepping(w, 2);
		assert.throws(() => stepping(w, 8), {
			name: "TensorError",
			message:
				/^compile: two buffers named adamw\.step\.w would be updated, .*optimizer once.*close\(\) the other program/,
		});
		small.run(feed(2));
		small.close();
		stepping(w, 8).close();
	});

	it("are refused in one program", () => {
		const w = t.parameter("w", t.zeros([4]));
		const [a, b] = [t.buffer("mean", t.zeros([4])), t.buffer("mean", t.zeros([4]))];
		assert.throws(() => t.compile({}, [t.assign(a, w), t.assign(b, w)]), /two buffers named mean/);
	});

	it("may be one buffer that several programs update: an optimizer for every batch shape", () => {
		const train = (shapes: readonly number[]) => {
			const w = t.parameter("w", t.zeros([4]));
			const gradient = t.buffer("gradient", t.zeros([4]));
			const backward = new Map(
				[...new Set(shapes)].map((rows) => {
					const [g] = t.grad(lossOf(w, rows), [w]);
					return [rows, t.compile({}, [t.assign(gradient, g!)])];
				}),
			);
			const step = t.compile({}, t.adamw([w], [gradient], { lr: 0.01 }));
			for (const rows of shapes) {
				backward.get(rows)!.run(feed(rows));
				step.run();
			}
			for (const program of [...backward.values(), step]) program.close();
			return t.read(w);
		};
		// Three rows repeat in six: the gradients are the same, and so are the steps if the optimizer is one.
		assertClose(train([3, 3, 3, 6, 6, 6]), train([3, 3, 3, 3, 3, 3]), 1e-6);
	});

	it("are free again when a program could not be compiled", () => {
		const mean = () => t.buffer("unlucky", t.zeros([2]));
		const a = mean();
		const wrong = t
			.input("x", [1 << 20, 1 << 12])
			.mul(t.input("y", [1 << 20, 1 << 12]))
			.sum();
		assert.throws(() => t.compile({ wrong }, [t.assign(a, a.add(1))]), /GB/);
		const b = mean();
		t.compile({}, [t.assign(b, b.add(1))]).close();
	});
});
