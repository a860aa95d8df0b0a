/** How the modules of trainer/ and prepare/ depend on each other, and that each can be the first to be loaded. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { parseSync } from "oxc-parser";

const root = join(import.meta.dirname, "../..");
const files = globSync("{trainer,prepare}/**/*.ts", { cwd: root }).sort();

/** The files a file imports, types included, as paths from the root. */
function importsOf(file: string): string[] {
	const { module } = parseSync(file, readFileSync(join(root, file), "utf8"));
	const dynamic = module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
		readFileSync(join(root, file), "utf8")
			.slice(start, end)
			.replace(/^["']|["']$/g, ""),
	);
	const fixed = [
		...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
		...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value)),
	];
	return [...new Set([...fixed, ...dynamic])]
		.filter((name): name is string => name?.startsWith(".") ?? false)
		.map((name) => relative(root, join(root, dirname(file), name)));
}

const graph = new Map(files.map((file) => [file, importsOf(file)]));

/** A way from a file back to itself, if there is one. */
function findCircle(): string[] | undefined {
	const done = new Set<string>();
	const visit = (file: string, path: string[]): string[] | undefined => {
		if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
		if (done.has(file)) return undefined;
		for (const imported of graph.get(file) ?? []) {
			const circle = visit(imported, [...path, file]);
			if (circle) return circle;
		}
		done.add(file);
		return undefined;
	};
	for (const file of files) {
		const circle = visit(file, []);
		if (circle) return circle;
	}
	return undefined;
}

describe("the modules of trainer/ and prepare/", () => {
	it("import each other without a circle, types included", () => {
		assert.ok(graph.get("trainer/tensor/index.ts")!.includes("trainer/tensor/compile.ts"), "imports were read");
		assert.equal(findCircle()?.join(" -> "), undefined);
	});

	it("import nothing from above: the tensor library nothing of the trainer, neither anything of src", () => {
		for (const [file, imports] of graph) {
			const allowed = file.startsWith("trainer/tensor/")
				? /^(trainer\/tensor|prepare)\//
				: file.startsWith("trainer/")
					? /^(trainer|prepare)\//
					: /^prepare\//;
			for (const imported of imports) assert.match(imported, allowed, `${file} imports ${imported}`);
		}
	});
});

describe("the tensor library", () => {
	it("loads whichever of its modules is imported first", async () => {
		// These are programs: they act when they are loaded.
		const programs = ["device/probe.ts"];
		const modules = files.filter(
			(file) => file.startsWith("trainer/tensor/") && !programs.some((p) => file.endsWith(p)),
		);
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
