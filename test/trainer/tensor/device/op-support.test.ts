/** Devices the test machine lacks: every operation lowers to nodes the device supports, with the same results. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as t from "../../../../trainer/tensor/index.ts";
import { portable } from "../../../../trainer/tensor/lower/portable.ts";
import { batch, build, train } from "../../../../trainer/train.ts";
import { cases } from "../gradient-cases.ts";
import { inventions } from "../inventions.ts";
import { checkGradients, evaluate } from "../numeric.ts";
import { meetsConditions, SUPPORTED } from "./op-support.ts";

const device = t.configure({ threads: 1 });
const { supports } = device;

const { kind: ownKind } = device;

/** The names of the operations a device is asked about from now on, which it can all run unless told otherwise. */
function watched({ kind = ownKind, supports: can = supports }: Partial<typeof device> = {}): Set<string> {
	const seen = new Set<string>();
	Object.assign(device, {
		kind,
		supports: (node: bigint) => {
			if (!can(node)) return false;
			seen.add(device.ggml.op_desc(node));
			return true;
		},
	});
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

it("nothing is asked of CUDA that it has no grid for", () => {
	const seen = watched({
		kind: "cuda",
		supports: (node: bigint) => SUPPORTED.cuda.has(device.ggml.op_desc(node)) && meetsConditions(device.ggml, node),
	});
	for (const rows of [65_535, 65_536]) {
		seen.clear();
		const x = t.parameter(`x.${rows}`, t.ones([rows, 1, 2, 2]));
		const y = t
			.rmsNorm(x)
			.add(t.softmax(x))
			.add(x.sum(2, { keepdim: true }))
			.slice(-1, 0, 1);
		const [gradient] = t.grad(y.square().sum(), [x]);
		t.compile({ gradient: gradient! }, [], portable).close();
		assert.equal(seen.has("PAD"), rows === 65_535, `${rows} rows`);
	}
});

it("no CUDA kernel looks at every token for every row of a table, or adds all rows in one thread", () => {
	const seen = watched({ kind: "cuda" });
	const table = t.parameter("looked up", t.normal([5, 3], 1, t.seeded(1)));
	const gain = t.parameter("gain", t.ones([3]));
	const ids = t.tensor(Int32Array.of(0, 4, 4, 1, 0, 0), [2, 3]);
	const loss = t.embedding(ids, table).mul(gain).sum();
	const [byTable, byGain] = t.grad(loss, [table, gain]);
	const program = t.compile({ byTable: byTable!, byGain: byGain! }, [], portable);
	assert.ok(!seen.has("GET_ROWS_BACK") && !seen.has("REPEAT_BACK"), [...seen].join(" "));
	const counts = [3, 1, 0, 0, 2];
	const result = program.run();
	assert.deepEqual(
		[...result.byTable.data],
		counts.flatMap((n) => [n, n, n]),
	);
	const values = [...new Array(5).keys()].map((row) => evaluate(table.slice(0, row, row + 1)));
	for (const [i, sum] of result.byGain.data.entries())
		assert.ok(Math.abs(sum - counts.reduce((s, n, row) => s + n * values[row]![i]!, 0)) < 1e-5);
	program.close();
});

it("gradients are accumulated where they lie: nothing is copied", () => {
	const seen = watched();
	const sum = t.buffer("accumulated", t.zeros([4]));
	const program = t.compile({}, [t.assign(sum, sum.add(t.input("g", [4]).mul(2)))], portable);
	assert.ok(seen.has("ADD"));
	assert.ok(!seen.has("CPY"), [...seen].join(" "));
	program.close();
});
