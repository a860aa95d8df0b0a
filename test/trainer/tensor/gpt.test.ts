/** A whole model: both lowerings, PyTorch where it is installed, and the past agree about its loss and gradients. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as t from "../../../trainer/tensor/index.ts";
import type { Lowering } from "../../../trainer/tensor/lower/lowering.ts";
import { release } from "../../../trainer/tensor/storage.ts";
import { buildGpt, gpt } from "./gpt.ts";
import { lowerings } from "./lowerings.ts";
import { assertClose, ids } from "./numeric.ts";

const count = gpt.rows * gpt.length;
const feeds = { tokens: ids(count, gpt.vocabSize, 1), targets: ids(count, gpt.vocabSize, 2) };

/** The loss of one batch and the gradient of every weight, by name. */
function lossAndGradients(lowering: Lowering) {
	const { loss, weights } = buildGpt();
	const gradients = t.grad(loss, weights);
	const outputs = { loss, ...Object.fromEntries(weights.map(({ name }, i) => [`d_${name}`, gradients[i]!])) };
	const program = t.compile(outputs as Record<string, t.Tensor>, [], lowering);
	const { loss: value, ...rest } = program.run(feeds);
	const values = Object.fromEntries(weights.map((weight) => [weight.name, t.read(weight)]));
	program.close();
	release(weights);
	const byName = Object.fromEntries(weights.map(({ name }) => [name, rest[`d_${name}`]!.data]));
	return { loss: value!.item(), gradients: byName, weights: values };
}

/** Losses of a few steps with everything train.ts's optimizer does, on one batch. */
function trajectory(lowering: Lowering): number[] {
	const { loss, weights } = buildGpt();
	const gradients = t.grad(loss, weights);
	const of = (isMatrix: boolean) => {
		const members = weights.filter(({ name }) => /^(q|k|v|o|up|down)\d$/.test(name) === isMatrix);
		return [members, members.map((weight) => gradients[weights.indexOf(weight)]!)] as const;
	};
	const [lr, momentum] = [t.scalar("lr"), t.scalar("momentum")];
	const updates = [
		...t.muon(...of(true), { lr, momentum, beta2: 0.95, weightDecay: 0.1 }),
		...t.adamw(...of(false), { lr: lr.mul(0.5), beta1: 0.8, eps: 1e-10 }),
	];
	const program = t.compile({ loss }, updates, lowering);
	const losses = Array.from({ length: 8 }, (_, i) =>
		program.run({ ...feeds, lr: 0.02 - 0.001 * i, momentum: 0.85 + 0.01 * i }).loss.item(),
	);
	program.close();
	return losses;
}

/** Recorded losses: a change of the numbers changes every trained result and needs a reason. */
const GOLDEN = [4.491482, 3.822347, 3.227496, 2.722341, 2.304046, 1.95936, 1.674417, 1.438154];

describe("a whole model", () => {
	for (const lowering of lowerings) {
		it(`trains as it always has: ${lowering.name}`, () => assertClose(trajectory(lowering), GOLDEN, 1e-5));
		it(`trains the same bit for bit: ${lowering.name}`, () => {
			assert.deepEqual(trajectory(lowering), trajectory(lowering));
		});
	}

	it("has the same loss and gradients in both lowerings", { skip: lowerings.length < 2 && "no C++ compiler" }, () => {
		const [portable, cpu] = lowerings.map(lossAndGradients);
		assertClose([cpu!.loss], [portable!.loss], 1e-6);
		for (const [name, gradient] of Object.entries(portable!.gradients))
			assertClose(cpu!.gradients[name]!, gradient, 2e-5);
	});

	const python = findTorch();
	it("has PyTorch's loss to 1e-5 and its gradients to 1e-4", { skip: !python && "no python3-torch" }, () => {
		const folder = mkdtempSync(join(tmpdir(), "peer-"));
		try {
			const results = lowerings.map(lossAndGradients);
			const weights = Object.fromEntries(Object.entries(results[0]!.weights).map(([name, w]) => [name, [...w]]));
			const { tokens, targets } = feeds;
			const problem = { ...gpt, weights, tokens: [...tokens], targets: [...targets] };
			writeFileSync(join(folder, "problem.json"), JSON.stringify(problem));
			execFileSync(python!, [join(import.meta.dirname, "peer.py"), folder]);
			const peer = JSON.parse(readFileSync(join(folder, "answer.json"), "utf8"));
			for (const { loss, gradients } of results) {
				assertClose([loss], [peer.loss], 1e-5);
				for (const [name, gradient] of Object.entries(gradients)) assertClose(gradient, peer.gradients[name], 1e-4);
			}
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});

function findTorch(): string | undefined {
	// Debian's python3-torch belongs to the system's Python; another may come first on the PATH.
	return ["/usr/bin/python3", "python3"].find((python) => {
		try {
			execFileSync(python, ["-c", "import torch"], { stdio: "ignore" });
			return true;
		} catch {
			return false;
		}
	});
}
