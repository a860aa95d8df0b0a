/** Cross-entropy is a probability's logarithm for any finite logits: shifted, huge, tiny, equal; checked in float64. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../trainer/tensor/index.ts";
import { lowerings } from "./lowerings.ts";
import { assertClose, random } from "./numeric.ts";

/** Classes: more than a vector of any CPU, and no multiple of one. */
const V = 37;

/** Logits as float32 holds them: what is shifted by 2^26 keeps steps of 8. */
const LOGITS: Record<string, Float32Array> = {
	ordinary: random(V, 1, -3, 3),
	equal: new Float32Array(V).fill(2),
	zero: new Float32Array(V),
	tiny: random(V, 2, -1e-30, 1e-30),
	"a gap of 110 nats": random(V, 3).with(5, 110),
	"a gap of 10,000 nats": random(V, 4).with(5, -10_000),
	"two of 1.5e38 and -1.5e38": random(V, 5).with(0, 1.5e38).with(36, -1.5e38),
};
for (const shift of [1e4, 2 ** 22, 2 ** 24, 2 ** 26, 1e10, 1e30]) {
	LOGITS[`shifted by ${shift}`] = random(V, 6, -3, 3).map((x) => x + shift);
	LOGITS[`shifted by ${-shift}`] = random(V, 7, -3, 3).map((x) => x - shift);
}

/** The losses of every class, and the gradients of the logits, in float64. */
function reference(logits: Float32Array, softcap: number) {
	const capped = Array.from(logits, (x) => (softcap > 0 ? softcap * Math.tanh(x / softcap) : x));
	const largest = Math.max(...capped);
	const total = capped.reduce((sum, u) => sum + Math.exp(u - largest), 0);
	const losses = capped.map((u) => Math.log(total) + (largest - u));
	const gradients = capped.flatMap((_, target) =>
		capped.map((u, i) => {
			const slope = softcap > 0 ? 1 - (u / softcap) ** 2 : 1;
			return (Math.exp(u - largest) / total - (i === target ? 1 : 0)) * slope;
		}),
	);
	return { losses, gradients };
}

for (const lowering of lowerings) {
	describe(`cross-entropy by ${lowering.name}`, () => {
		const run = (softcap: number, outputs: "losses" | "gradients" | "both", row: Float32Array) => {
			const logits = t.input("logits", [V, V]);
			const targets = t.input("targets", [V], "i32");
			const losses = t.crossEntropy(logits, targets, { reduction: "none", softcap });
			const [gradients] = t.grad(losses.sum(), [logits]);
			const wanted = { losses: { losses }, gradients: { gradients }, both: { losses, gradients } }[outputs];
			const program = t.compile(wanted as Record<string, t.Tensor>, [], lowering);
			// Every row is the same logits, and each has another class for its target.
			const feeds = { logits: new Float32Array(V * V), targets: Int32Array.from({ length: V }, (_, i) => i) };
			for (let r = 0; r < V; r++) feeds.logits.set(row, r * V);
			const results = program.run(feeds);
			program.close();
			return { losses: results.losses?.data, gradients: results.gradients?.data };
		};
		for (const [name, row] of Object.entries(LOGITS)) {
			it(`of ${name} logits is what float64 gives, and the probabilities add up to 1`, () => {
				for (const softcap of [0, 15]) {
					const wanted = reference(row, softcap);
					for (const outputs of ["losses", "gradients", "both"] as const) {
						const { losses, gradients } = run(softcap, outputs, row);
						if (losses) {
							assertClose(losses, wanted.losses, 1e-6);
							const total = losses.reduce((sum, loss) => sum + Math.exp(-loss), 0);
							assert.ok(Math.abs(total - 1) < 1e-5, `the probabilities add up to ${total}`);
						}
						if (gradients) assertClose(gradients, wanted.gradients, 1e-5);
					}
				}
			});
		}
		it("of logits that are not all numbers is no number", () => {
			for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
				const { losses } = run(0, "losses", random(V, 8).with(9, wrong));
				assert.ok(
					losses!.every((loss) => !Number.isFinite(loss)),
					`${wrong} gives ${losses}`,
				);
			}
		});
	});
}
