/**
 * The floors of the house: no circle of imports anywhere, types included, no import of a floor above, and one way in
 * for what comes from outside. There is no list of exceptions.
 */
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

/** Packages with one way in: only the files whose path begins like this import them. */
const OWNERS: Record<string, string> = {
	"@anthropic-ai/sdk": "src/researcher/anthropic/client.ts",
	"simple-git": "src/git/",
	ink: "src/tui/",
	react: "src/tui/",
	"string-width": "src/tui/cells.ts",
	commander: "src/",
	tiktoken: "prepare/tokenizer.ts",
	koffi: "trainer/",
};

/** Which files each file imports, types included, as paths from the root. */
type Graph = ReadonlyMap<string, readonly string[]>;

function importsOf(file: string, text: string): string[] {
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

/** A way from a file back to itself, if there is one. */
function findCircle(graph: Graph): string[] | undefined {
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
	for (const file of graph.keys()) {
		const circle = visit(file, []);
		if (circle) return circle;
	}
	return undefined;
}

/** What a file outside src/ may import. */
function allowedFor(file: string): RegExp {
	if (file.startsWith("trainer/tensor/")) return /^(trainer\/tensor|prepare)\//;
	// What judges a training file never loads one, nor what runs in its process.
	if (file.startsWith("trainer/harness/")) return /^(trainer\/(harness\/|tensor\/|[^/]+$)|prepare\/)(?<!train\.ts)/;
	return file.startsWith("trainer/") ? /^(trainer|prepare)\// : /^prepare\//;
}

/** Imports of something above, in words; also files that are on no floor. */
function importsFromAbove(graph: Graph): string[] {
	const floorOf = (file: string) => FLOORS.indexOf(file.split("/")[1]!);
	return [...graph].flatMap(([file, imports]) => {
		if (!file.startsWith("src/"))
			return imports.filter((path) => !allowedFor(file).test(path)).map((path) => `${file} imports ${path}`);
		if (floorOf(file) < 0) return [`${file} is on no floor: add its folder to FLOORS`];
		return imports
			.filter((path) => path.startsWith("src/") && floorOf(path) > floorOf(file))
			.map((path) => `${file} imports ${path}, which lies above it`);
	});
}

const graph: Graph = new Map(files.map((file) => [file, importsOf(file, readFileSync(join(root, file), "utf8"))]));

/** The graph with one more import. */
function withImport(from: string, to: string): Graph {
	assert.ok(graph.has(from) && (graph.has(to) || to.startsWith("src/")), `${from} and ${to} are files`);
	return new Map(graph).set(from, [...graph.get(from)!, to]);
}

describe("the modules of src/, trainer/ and prepare/", () => {
	it("are read with every kind of import: static, of types, re-exported and dynamic", () => {
		const text = `import a from "./a.ts"; import type { B } from "../b.ts";
			export { c } from "./c.ts"; import("./d.ts");`;
		assert.deepEqual(importsOf("src/loop/x.ts", text).sort(), [
			"src/b.ts",
			"src/loop/a.ts",
			"src/loop/c.ts",
			"src/loop/d.ts",
		]);
		assert.ok(graph.get("src/journal/fold.ts")!.includes("src/journal/state.ts"));
	});

	it("import each other without a circle, types included", () => {
		assert.equal(findCircle(graph)?.join(" -> "), undefined);
	});

	it("import nothing from above", () => {
		assert.deepEqual(importsFromAbove(graph), []);
	});

	it("leave each of these packages to the one place that knows it", () => {
		for (const [name, owner] of Object.entries(OWNERS)) {
			const imports = new RegExp(`^(import|export) .*from "${name}["/]`, "m");
			const users = files.filter((file) => imports.test(readFileSync(join(root, file), "utf8")));
			assert.ok(users.length > 0, `nothing imports ${name}`);
			assert.deepEqual(
				users.filter((file) => !file.startsWith(owner)),
				[],
				name,
			);
		}
	});

	it("fail this test on a circle and on an import of a floor above", () => {
		const circle = findCircle(withImport("src/journal/state.ts", "src/journal/fold.ts"));
		assert.match(circle!.join(" -> "), /journal\/state\.ts -> src\/journal\/fold\.ts/);
		const upwards: [string, string][] = [
			["src/journal/fold.ts", "src/loop/gate.ts"],
			["src/researcher/plateau.ts", "src/loop/loop.ts"],
			["src/loop/loop.ts", "src/tui/tui.tsx"],
			["trainer/tensor/grad.ts", "trainer/harness/crash.ts"],
			["trainer/harness/evaluate.ts", "trainer/sandbox/main.ts"],
			["trainer/harness/evaluate.ts", "trainer/train.ts"],
			["prepare/batches.ts", "trainer/contract.ts"],
			["trainer/contract.ts", "src/errors.ts"],
		];
		for (const [from, to] of upwards) assert.equal(importsFromAbove(withImport(from, to)).length, 1, `${from}: ${to}`);
	});
});
