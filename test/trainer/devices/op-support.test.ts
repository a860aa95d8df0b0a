/** On devices that no machine of ours has: every operation lowers to nodes on the device's list, and stays right. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../trainer/tensor/index.ts";
import { portable } from "../../../trainer/tensor/lower/portable.ts";
import { batch, build, train } from "../../../trainer/train.ts";
import { cases } from "../tensor/gradient-cases.ts";
import { inventions } from "../tensor/inventions.ts";
import { checkGradients } from "../tensor/numeric.ts";
import { meetsConditions, SUPPORTED } from "./op-support.ts";

const device = t.configure({ threads: 1 });
const { supports } = device;

/** The names of the operations the device is asked about from now on. */
function watched(): Set<string> {
	const seen = new Set<string>();
	Object.assign(device, { supports: (node: bigint) => seen.add(device.ggml.op_desc(node)) && supports(node) });
	return seen;
}

for (const [kind, names] of Object.entries(SUPPORTED)) {
	/** The CPU, refusing what the other device would refuse. */
	const pretend = () =>
		Object.assign(device, {
			kind,
			supports: (node: bigint) =>
				names.has(device.ggml.op_desc(node)) && meetsConditions(device.ggml, node) && supports(node),
		});

	describe(`with only what ${kind} supports`, () => {
		for (const [name, expression, inputs] of cases)
			it(name, () => {
				pretend();
				checkGradients(expression, inputs, { lowering: portable });
			});

		for (const [name, invent] of Object.entries(inventions))
			it(`a researcher can invent: ${name}`, () => {
				pretend();
				invent(portable);
			});

		it("train.ts trains", () => {
			pretend();
			const vocabulary = 64;
			const tokens = Int32Array.from({ length: batch.rows * batch.length }, (_, i) => (i * i) % vocabulary);
			const losses: number[] = [];
			const once = { tokens, targets: tokens, index: 0, progress: 0, epoch: 1 };
			train(build(vocabulary, 1), [once, once], ({ loss }) => losses.push(loss));
			assert.ok(losses[1]! < losses[0]!, `${losses}`);
		});
	});
}

it("what a device lacks is refused by name when the program is compiled", () => {
	Object.assign(device, { supports: (node: bigint) => device.ggml.op_desc(node) !== "SOFT_MAX" });
	assert.throws(() => t.compile({ y: t.softmax(t.input("x", [2, 3])) }, [], portable), /cannot run SOFT_MAX/);
});

it("what CUDA's PAD has no grid for is padded another way", () => {
	for (const [rows, pads] of [
		[65_535, true],
		[65_536, false],
	] as const) {
		const seen = watched();
		const x = t.parameter(`x.${rows}`, t.ones([rows, 1, 1, 2]));
		const [gradient] = t.grad(x.slice(-1, 0, 1).square().sum(), [x]);
		const program = t.compile({ gradient: gradient! }, [], portable);
		assert.equal(seen.has("PAD"), pads, `${rows} rows`);
		assert.ok(program.run().gradient.data.every((value, i) => value === (i % 2 === 0 ? 2 : 0)));
		program.close();
	}
});

it("gradients are accumulated where they lie: nothing is copied", () => {
	const seen = watched();
	const sum = t.state("accumulated", t.zeros([4]));
	const program = t.compile({}, [t.assign(sum, sum.add(t.input("g", [4]).mul(2)))], portable);
	assert.ok(seen.has("ADD"));
	assert.ok(!seen.has("CPY"), [...seen].join(" "));
	program.close();
});
