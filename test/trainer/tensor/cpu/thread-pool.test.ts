/**
 * The threads that compute the kernels: which thread computes a share must not matter, and none may wait without end.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import koffi from "koffi";
import { Descriptor, type KernelName } from "../../../../trainer/tensor/cpu/descriptor.ts";
import type { Kernels } from "../../../../trainer/tensor/cpu/load.ts";
import * as t from "../../../../trainer/tensor/index.ts";
import { cpu } from "../../../../trainer/tensor/lower/cpu.ts";
import { tempDir } from "../../../support/lab.ts";
import { builds, pathOf } from "./builds.ts";

const ROOT = join(import.meta.dirname, "../../../..");
const { kernels: built, missing } = await builds();
const native = built.get("native");
const skip = !native && missing[0];
t.configure({ threads: 1 });

/** The sums of the rows of x, where row r holds r + 1, one after another with other values. */
function rowSums(rows: number, width: number) {
	const [x, y] = [new Float32Array(rows * width), new Float32Array(rows)];
	const descriptor = new Descriptor("sum");
	const [from, to] = [koffi.address(x), koffi.address(y)];
	descriptor.write({ x: from, y: to, outer: rows, middle: width, inner: 1, scale: 1 });
	return {
		descriptor,
		fill(value: number) {
			for (let r = 0; r < rows; r++) x.fill(value + r, r * width, (r + 1) * width);
			y.fill(Number.NaN);
		},
		assertRight(value: number) {
			const wrong = y.findIndex((sum, r) => sum !== (value + r) * width);
			assert.equal(wrong, -1, `row ${wrong} sums to ${y[wrong]}, not ${(value + wrong) * width}`);
		},
	};
}

/** A small model's losses over a few steps, computed with `threads` threads. */
function train(threads: number): number[] {
	const [B, T, D, V] = [4, 48, 40, 96];
	const draw = t.seeded(3);
	const weight = (name: string, ...shape: number[]) => t.parameter(name, t.normal(shape, 0.2, draw));
	const [tokens, targets] = [t.input("tokens", [B, T], "i32"), t.input("targets", [B, T], "i32")];
	const x = t.rmsNorm(t.embedding(tokens, weight("embedding", V, D)));
	const [q, k, v] = ["q", "k", "v"].map((name) => t.linear(x, weight(name, D, D)).reshape([B, T, 4, D / 4])) as [
		t.Tensor,
		t.Tensor,
		t.Tensor,
	];
	const attended = t.attention(t.rotary(q), t.rotary(k), v).reshape([B, T, D]);
	const hidden = t.gelu(t.linear(x.add(attended), weight("up", 4 * D, D)));
	const loss = t.crossEntropy(t.linear(hidden, weight("head", V, 4 * D)), targets, { softcap: 15 });
	const weights = t.parameters(loss);
	const update = t.adamw(weights, t.grad(loss, weights), { lr: 0.01 });
	const program = t.compile({ loss }, update, cpu(pathOf("native")!, threads));
	const ids = (seed: number) => Int32Array.from({ length: B * T }, (_, i) => (i * i * seed + 7 * i) % V);
	const losses = Array.from({ length: 8 }, (_, i) => {
		return program.run({ tokens: ids(i + 1), targets: ids(i + 2) }).loss.item();
	});
	program.close();
	return losses;
}

describe("the threads of the kernels", { skip }, () => {
	const kernels = native as Kernels;
	const parallel = (kernel: KernelName) => kernels.call(kernel, { parallel: true });

	test("training gives the same bits each time for a number of threads, and the same numbers for all", () => {
		const alone = train(1);
		assert.ok(alone.at(-1)! < alone[0]!);
		for (const threads of [1, 2, 3]) {
			const losses = train(threads);
			assert.deepEqual(losses, train(threads));
			losses.forEach((loss, i) => {
				assert.ok(Math.abs(loss - alone[i]!) < 1e-4, `${threads} threads, step ${i}: ${loss}, not ${alone[i]}`);
			});
		}
	});

	test("results are right with more threads than cores, beside processes that keep the cores busy", () => {
		const others = [1, 2].map(() => spawn(process.execPath, ["-e", "setTimeout(process.exit, 30_000); for (;;);"]));
		after(() => {
			for (const other of others) other.kill("SIGKILL");
		});
		const sums = rowSums(61, 40);
		for (let call = 0; call < 3000; call++) {
			// Fewer threads than before leave helpers idle; more start new ones.
			if (call % 500 === 0) kernels.shareWork([8, 2, 5][(call / 500) % 3]!);
			sums.fill(call);
			parallel("sum")(null, 0, 1, sums.descriptor.address);
			sums.assertRight(call);
		}
		for (const other of others) other.kill("SIGKILL");
		sums.descriptor.free();
	});

	test("calls of several threads at once are all right", async () => {
		kernels.shareWork(3);
		const all = Array.from({ length: 4 }, () => rowSums(2000, 50));
		for (let round = 0; round < 20; round++) {
			for (const sums of all) sums.fill(round);
			const calls = all.map(({ descriptor }) => {
				return promisify(parallel("sum").async)(null, 0, 1, descriptor.address);
			});
			await Promise.all(calls);
			for (const sums of all) sums.assertRight(round);
		}
		for (const { descriptor } of all) descriptor.free();
	});

	test("a process ends while its threads sleep, and while they look for work", async (t) => {
		const program = join(tempDir(t), "program.mjs");
		const from = (path: string) => JSON.stringify(pathToFileURL(join(ROOT, path)));
		writeFileSync(
			program,
			`import { loadKernels } from ${from("trainer/tensor/cpu/load.ts")};
			import koffi from ${from("node_modules/koffi/index.js")};
			const kernels = loadKernels(${JSON.stringify(pathOf("native"))});
			kernels.shareWork(4);
			if (process.argv[2] === "asleep") await new Promise((resolve) => setTimeout(resolve, 50));
			const [x, y] = [new Float32Array(9000).fill(2), new Float32Array(9)];
			const where = { x: koffi.address(x), y: koffi.address(y) };
			kernels.runParallel("sum", { ...where, outer: 9, middle: 1000, inner: 1, scale: 1 });
			if (y.some((sum) => sum !== 2000)) process.exitCode = 1;
			if (process.argv[2] === "asleep") await new Promise((resolve) => setTimeout(resolve, 50));`,
		);
		// A regression test: the process once ended by SIGSEGV, because its library was closed while threads ran in it.
		for (const state of ["asleep", ...Array<string>(8).fill("awake")]) {
			const child = spawn(process.execPath, [program, state], { stdio: "ignore" });
			assert.deepEqual(await once(child, "exit"), [0, null], state);
		}
	});
});
