/** A checkpoint is data: it scores like the live model, and a damaged or hostile one is refused in plain words. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { loadCheckpoint, saveCheckpoint } from "../../../trainer/tensor/checkpoint.ts";
import * as t from "../../../trainer/tensor/index.ts";
import { device } from "./lowerings.ts";
import { assertClose, evaluate, ids } from "./numeric.ts";

const shape = { rows: 3, length: 8, vocabSize: 17 };
const root = mkdtempSync(join(tmpdir(), "checkpoint-"));
after(() => rmSync(root, { recursive: true }));

/** A little of everything a model may hold: heads, windows, a constant, shared weights, a shift of the ids. */
function model(): (tokens: t.Tensor) => t.Tensor {
	const draw = t.seeded(3);
	const table = t.parameter("table", t.normal([17, 12], 1, draw));
	const key = t.parameter("key", t.normal([6, 12], 0.3, draw));
	const scale = t.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
	return (tokens) => {
		const [B, T] = tokens.shape as [number, number];
		let x = t.rmsNorm(t.embedding(tokens, table).add(t.embedding(t.shift(tokens, 1), table)));
		const heads = t.rotary(x.reshape([B, T, 2, 6]));
		const shared = t.linear(x, key).reshape([B, T, 1, 6]);
		x = x.add(t.attention(heads, shared, shared, { window: 4 }).reshape([B, T, 12]).mul(scale));
		return t.softcap(t.linear(x, table), 15);
	};
}

const tokens = ids(24, 17, 1);
const targets = ids(24, 17, 2);
const logits = model();
const saved = join(root, "saved");
saveCheckpoint(saved, logits, shape);

/** A copy of the saved checkpoint with graph.json changed. */
function tampered(name: string, change: (graph: Graph) => void): string {
	const dir = join(root, name);
	saveCheckpoint(dir, logits, shape);
	const graph = JSON.parse(readFileSync(join(dir, "graph.json"), "utf8")) as Graph;
	change(graph);
	writeFileSync(join(dir, "graph.json"), JSON.stringify(graph));
	return dir;
}

interface Graph {
	version: number;
	rows: number;
	vocabSize: number;
	nodes: { op: string; inputs: unknown[]; attrs: Record<string, unknown>; shape: number[]; name?: string }[];
}

function refused(dir: string, reason: RegExp): void {
	assert.throws(
		() => loadCheckpoint(dir, device),
		(error: Error) => {
			assert.equal(error.name, "TensorError", error.stack);
			assert.match(error.message, reason);
			return true;
		},
	);
}

describe("a loaded checkpoint", () => {
	it("gives the live model's logits and losses", () => {
		const scorer = loadCheckpoint(saved, device);
		const input = t.input("tokens", [3, 8], "i32");
		const wanted = t.input("targets", [3, 8], "i32");
		const live = logits(input);
		assertClose(scorer.logits(tokens), evaluate(live, { tokens }), 1e-6);
		const losses = evaluate(t.crossEntropy(live, wanted, { reduction: "none" }), { tokens, targets });
		assertClose(scorer.losses(tokens, targets), losses, 1e-6);
		assert.deepEqual({ rows: scorer.rows, length: scorer.length }, { rows: 3, length: 8 });
		assert.equal(scorer.parameterCount, 17 * 12 + 6 * 12);
		scorer.close();
	});

	it("holds the values after training, without the optimizer's", () => {
		const w = t.parameter("w", t.zeros([17, 17]));
		const moment = t.buffer("moment", t.zeros([17, 17]));
		const program = t.compile({}, [t.assign(w, w.add(2)), t.assign(moment, moment.add(1))]);
		program.run();
		const dir = join(root, "trained");
		saveCheckpoint(dir, (tokens) => t.embedding(tokens, w), shape);
		const scorer = loadCheckpoint(dir, device);
		assert.ok(scorer.logits(tokens).every((value) => value === 2));
		assert.equal(scorer.parameterCount, 17 * 17);
		scorer.close();
		program.close();
	});
});

describe("a model is not saved", () => {
	it("when its logits have another shape", () => {
		const table = t.parameter("t", t.zeros([17, 5]));
		const save = () => saveCheckpoint(join(root, "bad"), (tokens) => t.embedding(tokens, table), shape);
		assert.throws(save, /logits of tokens \[3, 8\] must be \[3, 8, 17\], not \[3, 8, 5\]/);
	});
	it("when it depends on another input", () => {
		const bias = t.input("bias", [17]);
		const save = () => saveCheckpoint(join(root, "bad"), (tokens) => logits(tokens).add(bias), shape);
		assert.throws(save, /logits depend on input bias/);
	});
	it("when two weights share a name", () => {
		const [a, b] = [t.parameter("same", t.zeros([17, 17])), t.parameter("same", t.zeros([17, 17]))];
		const save = () => saveCheckpoint(join(root, "bad"), (x) => t.embedding(x, a).add(t.embedding(x, b)), shape);
		assert.throws(save, /two parameters are named same/);
	});
});

describe("a checkpoint is refused", () => {
	it("when an operation is unknown", () => {
		refused(
			tampered("unknown", ({ nodes }) => {
				nodes.at(-1)!.op = "constructor";
			}),
			/constructor: no such operation/,
		);
	});
	it("when a node takes a later one", () => {
		refused(
			tampered("later", ({ nodes }) => {
				nodes.at(-1)!.inputs = [nodes.length];
			}),
			/does not come before it/,
		);
	});
	it("when a shape is not what the operation gives", () => {
		refused(
			tampered("shape", ({ nodes }) => {
				nodes.at(-1)!.shape = [3, 8, 18];
			}),
			/says f32 \[3, 8, 18\] where softcap gives f32 \[3, 8, 17\]/,
		);
	});
	it("when an attribute is of the wrong kind, missing or too many", () => {
		for (const attrs of [{ cap: "15" }, {}, { cap: 15, extra: 1 }, { cap: null }]) {
			refused(
				tampered("attrs", ({ nodes }) => {
					nodes.at(-1)!.attrs = attrs;
				}),
				/softcap: (cap must be a finite number|has no attribute extra)/,
			);
		}
	});
	it("when it names weights that are not there, or the same ones twice", () => {
		refused(
			tampered("weights", ({ nodes }) => {
				nodes.find(({ name }) => name === "key")!.name = "table";
			}),
			/no weights named "table" of its own/,
		);
	});
	it("when a tensor would be absurdly large", () => {
		refused(
			tampered("large", ({ nodes }) => {
				nodes.push({ op: "full", inputs: [], attrs: { shape: [1e6, 1e6], value: 0 }, shape: [1e6, 1e6] });
			}),
			/more than 4294967296 elements/,
		);
	});
	it("when the batch or the vocabulary is another than the graph's", () => {
		refused(
			tampered("rows", (graph) => {
				graph.rows = 4;
			}),
			/\[4, 8\]|\[32\]/,
		);
		refused(
			tampered("vocabulary", (graph) => {
				graph.vocabSize = 18;
			}),
			/must be \[3, 8, 18\]/,
		);
	});
	it("when graph.json is no graph", () => {
		for (const text of [
			"",
			"null",
			"[]",
			'{"version":2}',
			'{"version":1,"rows":1,"length":1,"vocabSize":1,"nodes":[null]}',
		]) {
			const dir = tampered("no-graph", () => {});
			writeFileSync(join(dir, "graph.json"), text);
			refused(dir, /is not JSON|version 1|is not a node/);
		}
	});
	it("when the weights' file was cut, grew, or lies about its sizes", () => {
		const dir = tampered("cut", () => {});
		const path = join(dir, "model.safetensors");
		const whole = readFileSync(path);
		const length = Number(whole.readBigUInt64LE());
		const header = whole.subarray(8, 8 + length).toString();
		const withHeader = (text: string) => {
			const size = Buffer.alloc(8);
			size.writeBigUInt64LE(BigInt(text.length));
			return Buffer.concat([size, Buffer.from(text), whole.subarray(8 + length)]);
		};
		const huge = Buffer.from(whole);
		huge.writeBigUInt64LE(2n ** 60n);
		for (const bytes of [
			whole.subarray(0, whole.length - 1),
			Buffer.concat([whole, Buffer.alloc(4)]),
			whole.subarray(0, 5),
			huge,
			withHeader(header.replace('"F32"', '"F64"')),
			withHeader(header.replace("[17,12]", "[17,13]")),
			withHeader(header.replace('"data_offsets":[0,', '"data_offsets":[4,')),
			withHeader("[]"),
		]) {
			writeFileSync(path, bytes);
			refused(dir, /model\.safetensors/);
		}
	});
});
