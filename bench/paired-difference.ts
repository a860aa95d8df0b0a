/**
 * How well the metric tells two trained models apart: the difference of their bits per byte on the very rows that
 * evaluate.ts covers, and its standard error, row by row and so paired.
 *
 *     autoresearch train --budget 60s --seed 1 --out /tmp/a; autoresearch train --budget 60s --seed 2 --out /tmp/b
 *     node bench/paired-difference.ts /tmp/a /tmp/b
 */
import { join } from "node:path";
import { evaluationBatches } from "../prepare/batches.ts";
import { VOCAB_SIZE } from "../prepare/constants.ts";
import { type Dataset, prepareDataset } from "../prepare/dataset.ts";
import { deviceFor } from "../trainer/harness/main.ts";
import { loadCheckpoint } from "../trainer/tensor/checkpoint.ts";
import type { DeviceOptions } from "../trainer/tensor/index.ts";

interface Row {
	bits: number;
	bytes: number;
}

const [a, b] = process.argv.slice(2);
if (!a || !b) throw new Error("node bench/paired-difference.ts FOLDER FOLDER: what two runs of train --out left");
const dataset = await prepareDataset({ source: "sotu", vocabSize: VOCAB_SIZE });
const device = await deviceFor({ device: "cpu", threads: 2 });
const [one, other] = [a, b].map((out) => measured(join(out, "model"), dataset, device)) as [Row[], Row[]];

const bytes = sum(one.map((row) => row.bytes));
const differences = one.map(({ bits }, i) => bits - other[i]!.bits);
const mean = sum(differences) / differences.length;
const deviation = Math.sqrt(sum(differences.map((d) => (d - mean) ** 2)) / (differences.length - 1));
const error = (deviation * Math.sqrt(differences.length)) / bytes;
const bitsPerByte = (rows: Row[]) => (sum(rows.map(({ bits }) => bits)) / bytes).toFixed(6);
console.log(`${bitsPerByte(one)} and ${bitsPerByte(other)} bits per byte on ${one.length} rows, ${bytes} bytes`);
console.log(`difference ${(sum(differences) / bytes).toFixed(6)}, standard error ${error.toFixed(6)}`);

/** Bits and bytes of each row; tokens that stand for no bytes count in neither. */
function measured(model: string, dataset: Dataset, device: DeviceOptions): Row[] {
	const scorer = loadCheckpoint(model, device);
	const rows = [...evaluationBatches(dataset, "val")].flatMap(({ tokens, targets }) => {
		const losses = scorer.losses(tokens, targets);
		return Array.from({ length: scorer.rows }, (_, r): Row => {
			const row = { bits: 0, bytes: 0 };
			for (let i = r * scorer.length; i < (r + 1) * scorer.length; i++) {
				const bytes = dataset.tokenBytes[targets[i]!]!;
				if (bytes > 0) row.bits += losses[i]! / Math.LN2;
				row.bytes += bytes;
			}
			return row;
		});
	});
	scorer.close();
	return rows;
}

function sum(values: number[]): number {
	return values.reduce((total, value) => total + value, 0);
}
