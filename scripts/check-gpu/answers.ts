/**
 * What a device computes, to be compared with the CPU: every operation's result and gradients, a whole model's loss and
 * gradients, and the losses of a few optimizer steps. Runs in a process of its own, because a process has one device
 * and a device may end it. Each answer is written at once, as a line of JSON after one with the `Questions`.
 *
 *     node scripts/check-gpu/answers.ts vulkan:software answers.jsonl        everything
 *     node scripts/check-gpu/answers.ts vulkan:software answers.jsonl 12     from the thirteenth question on
 */
import { appendFileSync, writeFileSync } from "node:fs";
import { buildGpt, gpt } from "../../test/trainer/tensor/gpt.ts";
import { cases } from "../../test/trainer/tensor/gradient-cases.ts";
import { type Inputs, ids, random } from "../../test/trainer/tensor/numeric.ts";
import type { DeviceName } from "../../trainer/tensor/device/name.ts";
import * as t from "../../trainer/tensor/index.ts";

/** Arrays by name: `loss`, `d_x`, … or the reason there are none. */
export type Answer = Record<string, number[]> | { error: string };

export interface Questions {
	device: string;
	/** The operations, then a whole model and a trajectory. */
	names: string[];
}

const [device, path, first = "0"] = process.argv.slice(2) as [DeviceName, string, string?];
const { description } = t.configure({ device });
const questions: [string, () => Record<string, number[]>][] = [
	...cases.map(([name, build, inputs]): [string, () => Record<string, number[]>] => [
		name,
		() => gradients(build, inputs),
	]),
	["a model", wholeModel],
	["a trajectory", trajectory],
];
const names = questions.map(([name]) => name);
writeFileSync(path, `${JSON.stringify({ device: description, names } satisfies Questions)}\n`);
for (const [, compute] of questions.slice(Number(first))) appendFileSync(path, `${JSON.stringify(attempt(compute))}\n`);

function attempt(compute: () => Record<string, number[]>): Answer {
	try {
		return compute();
	} catch (error) {
		return { error: (error as Error).message };
	}
}

/** The result of `build`, weighted to a scalar, and its gradient by every input that is not of ids. */
function gradients(build: (x: Record<string, t.Tensor>) => t.Tensor, inputs: Inputs): Record<string, number[]> {
	const entries = Object.entries(inputs);
	const tensors = Object.fromEntries(
		entries.map(([name, { shape, values }]) => [
			name,
			t.input(name, shape, values instanceof Int32Array ? "i32" : "f32"),
		]),
	);
	const feeds = Object.fromEntries(
		entries.map(([name, { values, from, to }], i) => [name, values ?? random(tensors[name]!.size, i + 1, from, to)]),
	);
	const y = build(tensors);
	const loss = y.mul(t.input("weights", y.shape)).sum();
	const smooth = entries.map(([name]) => name).filter((name) => feeds[name] instanceof Float32Array);
	const by = t.grad(
		loss,
		smooth.map((name) => tensors[name]!),
	);
	return run({ y, ...named(smooth, by) }, { ...feeds, weights: random(y.size, 99) });
}

function wholeModel(): Record<string, number[]> {
	const { loss, weights } = buildGpt();
	return run(
		{
			loss,
			...named(
				weights.map(({ name }) => name),
				t.grad(loss, weights),
			),
		},
		batch(),
	);
}

/** Losses of eight steps of Muon and AdamW on one batch. */
function trajectory(): Record<string, number[]> {
	const { loss, weights } = buildGpt();
	const gradients = t.grad(loss, weights);
	const of = (isMatrix: boolean) => {
		const members = weights.filter(({ name }) => /^(q|k|v|o|up|down)\d$/.test(name) === isMatrix);
		return [members, members.map((weight) => gradients[weights.indexOf(weight)]!)] as const;
	};
	const lr = t.scalar("lr");
	const updates = [...t.muon(...of(true), { lr, beta2: 0.95 }), ...t.adamw(...of(false), { lr: lr.mul(0.5) })];
	const program = t.compile({ loss }, updates);
	const losses = Array.from({ length: 8 }, (_, i) => program.run({ ...batch(), lr: 0.02 - 0.001 * i }).loss.item());
	return { losses };
}

function batch() {
	const count = gpt.rows * gpt.length;
	return { tokens: ids(count, gpt.vocabSize, 1), targets: ids(count, gpt.vocabSize, 2) };
}

function named(names: string[], gradients: t.Tensor[]): Record<string, t.Tensor> {
	return Object.fromEntries(names.map((name, i) => [`d_${name}`, gradients[i]!]));
}

function run(outputs: Record<string, t.Tensor>, feeds: Record<string, Float32Array | Int32Array>) {
	// Left open: the process ends soon, and Debian 12's lavapipe (Mesa 22.3) frees memory twice after buffers were freed.
	const results = t.compile(outputs).run(feeds);
	return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data]]));
}
