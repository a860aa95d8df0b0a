/** Batches: every row begins with BOS, every epoch holds every token once, and a seed fixes the order. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { batches, type PackedBatch } from "../../prepare/batches.ts";
import { type Dataset, prepareDataset } from "../../prepare/dataset.ts";
import { folderOfStories, temporaryFolder } from "./corpora.ts";

const SHAPE = { rows: 4, length: 64, seed: 1 };

async function prepared(t: TestContext): Promise<Dataset> {
	const folder = temporaryFolder(t);
	return prepareDataset({ source: folderOfStories(folder, 120), vocabSize: 320 }, { cacheDir: folder });
}

function take(dataset: Dataset, count: number, shape = SHAPE): PackedBatch[] {
	return [...batches(dataset, "train", shape).take(count)];
}

test("targets are the tokens shifted by one, and every row begins with BOS", async (t) => {
	const dataset = await prepared(t);
	for (const { tokens, targets } of take(dataset, 50)) {
		assert.equal(tokens.length, 4 * 64);
		for (let row = 0; row < 4; row++) {
			assert.equal(tokens[row * 64], dataset.bosId);
			assert.deepEqual(tokens.slice(row * 64 + 1, (row + 1) * 64), targets.slice(row * 64, (row + 1) * 64 - 1));
		}
	}
});

test("the same seed gives the same batches, another seed others", async (t) => {
	const dataset = await prepared(t);
	assert.deepEqual(take(dataset, 20), take(dataset, 20));
	assert.notDeepEqual(take(dataset, 20), take(dataset, 20, { ...SHAPE, seed: 2 }));
});

test("an epoch holds every token of the split exactly once", async (t) => {
	const dataset = await prepared(t);
	const once = histogram(dataset.split("train").tokens, dataset);
	const seen = new Float64Array(dataset.vocabSize);
	for (const { tokens, targets, epoch } of batches(dataset, "train", { rows: 1, length: 37, seed: 3 })) {
		const row = histogram(Int32Array.of(tokens[0]!, ...targets), dataset);
		if (epoch === 1) {
			for (const [id, count] of row.entries()) seen[id]! += count;
			continue;
		}
		// The row in which the epoch turned holds some of both.
		for (const [id, count] of once.entries())
			assert.ok(seen[id]! <= count && count <= seen[id]! + row[id]!, `token ${id}: ${count}, not ${seen[id]}`);
		break;
	}
});

/** How often each token occurs; BOS, which a cut adds, is left out. */
function histogram(tokens: Uint16Array | Int32Array, { vocabSize, bosId }: Dataset): Float64Array {
	const counts = new Float64Array(vocabSize);
	for (const id of tokens) if (id !== bosId) counts[id]!++;
	return counts;
}

test("epochs are counted, and each has another order", async (t) => {
	const dataset = await prepared(t);
	const rows = dataset.split("train").tokens.length / 65;
	const all = take(dataset, Math.ceil((2.5 * rows) / 4));
	assert.equal(all[0]!.epoch, 1);
	assert.equal(all.at(-1)!.epoch, 3);
	const second = all.findIndex(({ epoch }) => epoch === 2);
	assert.ok(Math.abs(second - rows / 4) < 0.1 * rows);
	assert.notDeepEqual(all[0]!.tokens, all[second + 1]!.tokens);
});

test("rows hold whole pieces of text: what follows BOS follows in the corpus too", async (t) => {
	const dataset = await prepared(t);
	const text = ` ${dataset.split("train").tokens.join(" ")} `;
	const [{ tokens }] = take(dataset, 1) as [PackedBatch];
	const row = tokens.slice(0, 64).join(" ");
	for (const piece of row.split(`${dataset.bosId}`).filter((piece) => piece.trim()))
		assert.ok(text.includes(` ${piece.trim()} `), piece);
});
