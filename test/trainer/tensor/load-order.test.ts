/** Each module of the tensor library can be the first to be loaded. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../../..");
const files = globSync("trainer/tensor/**/*.ts", { cwd: root }).sort();

describe("the tensor library", () => {
	it("loads whichever of its modules is imported first", async () => {
		// These are programs: they act when they are loaded.
		const programs = ["device/probe.ts"];
		const modules = files.filter((file) => !programs.some((program) => file.endsWith(program)));
		assert.ok(modules.length > 30, `${modules.length} modules were found`);
		const load = async (file: string) => {
			await promisify(execFile)(process.execPath, ["-e", `import(${JSON.stringify(join(root, file))})`]);
		};
		const queue = [...modules];
		const worker = async () => {
			for (let file = queue.pop(); file; file = queue.pop()) await load(file);
		};
		await Promise.all(Array.from({ length: 4 }, worker));
	});

	it("builds an optimizer's step without index.ts, whose methods are for train.ts", async () => {
		const script = `
			import { strictEqual } from "node:assert";
			const { parameter } = await import("./parameter.ts");
			const { zeros } = await import("./ops/leaf.ts");
			const { mean } = await import("./ops/reduce.ts");
			const { square } = await import("./ops/elementwise.ts");
			const { softmax } = await import("./ops/nn.ts");
			const { grad } = await import("./grad.ts");
			const { adamw } = await import("./optim/adamw.ts");
			const { muon } = await import("./optim/muon.ts");
			const w = parameter("w", zeros([2, 3]));
			const gradients = grad(mean(square(softmax(w))), [w]);
			strictEqual(adamw([w], gradients, { lr: 1 }).length, 4);
			strictEqual(muon([w], gradients, { lr: 1, beta2: 0.9 }).length, 3);
		`;
		const cwd = join(root, "trainer/tensor");
		await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd });
	});
});
