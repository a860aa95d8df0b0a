/** The floors of the house: no circle of imports anywhere, types included, and no import of a floor above. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";
import { parseSync } from "oxc-parser";

const root = join(import.meta.dirname, "..");
const files = globSync("{src,trainer,prepare}/**/*.{ts,tsx}", { cwd: root }).sort();

/**
 * The folders of src/ from the ground up: each may import those before it, never one behind it. `#console` is the built
 * console, which commands/ loads by that name.
 */
const FLOORS = [
	"errors.ts",
	"package-root.ts",
	"text.ts",
	"journal",
	"lab",
	"subprocess",
	"git",
	"program",
	"runner",
	"researcher",
	"report",
	"loop",
	"engine",
	"tui",
	"commands",
	"cli.ts",
	"bin.ts",
];

/** The files a file imports, types included, as paths from the root. */
function importsOf(file: string): string[] {
	const text = readFileSync(join(root, file), "utf8");
	const { module } = parseSync(file, text);
	const dynamic = module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
		text.slice(start, end).replace(/^["']|["']$/g, ""),
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

/** The floor of a file of src/; -1 for a folder that is not in the list. */
function floorOf(file: string): number {
	return FLOORS.indexOf(file.split("/")[1]!);
}

describe("the modules of src/, trainer/ and prepare/", () => {
	it("import each other without a circle, types included", () => {
		assert.ok(graph.get("trainer/tensor/index.ts")!.includes("trainer/tensor/compile.ts"), "imports were read");
		assert.ok(graph.get("src/journal/fold.ts")!.includes("src/journal/state.ts"), "imports were read");
		assert.equal(findCircle()?.join(" -> "), undefined);
	});

	it("import nothing from above: the tensor library nothing of the trainer, neither anything of src", () => {
		for (const [file, imports] of graph) {
			if (file.startsWith("src/")) continue;
			const allowed = file.startsWith("trainer/tensor/")
				? /^(trainer\/tensor|prepare)\//
				: file.startsWith("trainer/")
					? /^(trainer|prepare)\//
					: /^prepare\//;
			for (const imported of imports) assert.match(imported, allowed, `${file} imports ${imported}`);
		}
	});

	it("of src/ lie on floors, the run's data at the ground, and none imports one above its own", () => {
		for (const [file, imports] of graph) {
			if (!file.startsWith("src/")) continue;
			assert.notEqual(floorOf(file), -1, `${file} is on no floor: add its folder to FLOORS`);
			for (const imported of imports.filter((path) => path.startsWith("src/")))
				assert.ok(floorOf(imported) <= floorOf(file), `${file} imports ${imported}, which lies above it`);
		}
	});
});
