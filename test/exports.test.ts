/** What modules export: values that another one uses, and types of which each has a name of its own. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { parseSync } from "oxc-parser";

const root = join(import.meta.dirname, "..");
/** Loaded by name: the lab's training file, the smallest one of the tests, and the console's bundle. */
const LOADED_BY_NAME = new Set(["trainer/train.ts", "test/trainer/harness/fixtures/train.ts", "src/tui/tui.tsx"]);
/** They are started as processes. */
const PROGRAMS = new Set([
	"src/bin.ts",
	"trainer/harness/train-main.ts",
	"trainer/harness/evaluate.ts",
	"trainer/sandbox/main.ts",
	"trainer/tensor/cpu/self-check.ts",
]);

interface Module {
	path: string;
	/** Names of the values it exports; a default export is found by its file. */
	exports: string[];
	/** Names of the types it exports. */
	types: string[];
	/** What it takes from other files: a name, or "*" for all of them. */
	imports: { from: string; name: string }[];
}

function readModule(path: string): Module {
	const text = readFileSync(join(root, path), "utf8");
	const { module } = parseSync(path, text);
	const from = (name: string) => relative(root, join(root, dirname(path), name));
	const own = module.staticExports.flatMap(({ entries }) => entries).filter(({ moduleRequest }) => !moduleRequest);
	const exports = own.flatMap(({ exportName, isType }) => (exportName.name && !isType ? [exportName.name] : []));
	const types = own.flatMap(({ exportName, isType }) => (exportName.name && isType ? [exportName.name] : []));
	const dynamic = [...text.matchAll(/import\("(\.[^"]+)"\)/g)].map(([, name]) => ({ from: from(name!), name: "*" }));
	const fixed = module.staticImports.flatMap(({ moduleRequest, entries }) =>
		entries.map(({ importName }) => ({ from: from(moduleRequest.value), name: importName.name ?? "*" })),
	);
	const passedOn = module.staticExports.flatMap(({ entries }) =>
		entries.flatMap(({ moduleRequest, importName }) =>
			moduleRequest ? [{ from: from(moduleRequest.value), name: importName.name ?? "*" }] : [],
		),
	);
	return { path, exports, types, imports: [...dynamic, ...fixed, ...passedOn] };
}

test("every exported function, constant and class is imported somewhere", () => {
	const modules = globSync("{src,trainer,prepare,test,bench,scripts}/**/*.{ts,tsx}", { cwd: root }).map(readModule);
	assert.ok(modules.length > 200 && modules.some(({ exports }) => exports.includes("fold")), "modules were read");
	const used = new Set(modules.flatMap(({ imports }) => imports.map(({ from, name }) => `${from} ${name}`)));
	const unused = modules
		.filter(({ path }) => !LOADED_BY_NAME.has(path) && !used.has(`${path} *`))
		.flatMap(({ path, exports }) => exports.filter((name) => !used.has(`${path} ${name}`)).map((n) => `${path} ${n}`));
	assert.deepEqual(unused, []);
});

test("every module is imported by one that is not a test, or is a program", () => {
	const modules = globSync("{src,trainer,prepare,bench,scripts}/**/*.{ts,tsx}", { cwd: root }).map(readModule);
	const imported = new Set(modules.flatMap(({ imports }) => imports.map(({ from }) => from)));
	const built = modules.filter(({ path }) => /^(src|trainer|prepare)/.test(path) && !imported.has(path));
	assert.deepEqual(
		built.map(({ path }) => path).filter((path) => !PROGRAMS.has(path) && !LOADED_BY_NAME.has(path)),
		[],
	);
});

test("no two modules export a type of one name", () => {
	const homes = new Map<string, string[]>();
	for (const path of globSync("{src,trainer,prepare}/**/*.{ts,tsx}", { cwd: root }))
		for (const name of readModule(path).types) homes.set(name, [...(homes.get(name) ?? []), path]);
	assert.ok(homes.size > 100, `${homes.size} types were read`);
	assert.deepEqual(
		[...homes].filter(([, paths]) => paths.length > 1),
		[],
	);
});
