/** A prepared dataset: complete or absent, checked by hash, and safe against concurrent and killed builds. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Dataset, openDataset, type PrepareProgress, prepareDataset } from "../../prepare/dataset.ts";
import { SPLITS, splitOf } from "../../prepare/splits.ts";
import { Tokenizer } from "../../prepare/tokenizer.ts";
import { folderOfStories, story, temporaryFolder } from "./corpora.ts";

const VOCABULARY = 320;

function contents(dataset: Dataset): Record<string, string> {
	return Object.fromEntries(
		readdirSync(dataset.dir).map((name) => [name, readFileSync(join(dataset.dir, name), "hex")]),
	);
}

async function prepareStories(t: TestContext, count = 120) {
	const folder = temporaryFolder(t);
	const spec = { source: folderOfStories(folder, count), vocabSize: VOCABULARY };
	const options = { cacheDir: join(folder, "cache") };
	return { folder, spec, options, dataset: await prepareDataset(spec, options) };
}

test("a prepared dataset holds every document's text in the split its content decides", async (t) => {
	const { dataset } = await prepareStories(t);
	const stories = Array.from({ length: 120 }, (_, i) => story(i));
	using tokenizer = new Tokenizer(dataset.tokenizer);
	for (const name of SPLITS) {
		const expected = stories.filter((text) => splitOf(text) === name);
		const { tokens, counts } = dataset.split(name);
		const text = tokenizer.decode(tokens.filter((id) => id !== dataset.bosId));
		// Passages are cut at white space, which goes with the cut.
		const squeezed = (s: string) => s.replace(/\s+/g, "");
		assert.equal(squeezed(text), squeezed(expected.join("")));
		assert.equal(counts.documents, expected.length);
		assert.equal(counts.tokens, tokens.length);
		assert.equal(counts.passages, tokens.filter((id) => id === dataset.bosId).length);
		assert.equal(
			counts.bytes,
			tokens.reduce((sum, id) => sum + dataset.tokenBytes[id]!, 0),
		);
	}
});

test("the same text gives the same bytes, wherever it is prepared", async (t) => {
	const { dataset, spec, folder } = await prepareStories(t);
	const again = await prepareDataset(spec, { cacheDir: join(folder, "other") });
	assert.deepEqual(contents(again), contents(dataset));
});

test("adding documents moves no other document to another split", () => {
	const before = Array.from({ length: 200 }, (_, i) => splitOf(story(i)));
	const after = Array.from({ length: 400 }, (_, i) => splitOf(story(i)));
	assert.deepEqual(after.slice(0, 200), before);
	for (const name of SPLITS) assert.ok(before.includes(name), `${name} has documents`);
});

test("preparing twice does nothing the second time", async (t) => {
	const { dataset, spec, options } = await prepareStories(t);
	const stamps = () => readdirSync(dataset.dir).map((name) => statSync(join(dataset.dir, name)).mtimeMs);
	const before = stamps();
	const seen: PrepareProgress[] = [];
	await prepareDataset(spec, { ...options, onProgress: (progress) => seen.push(progress) });
	assert.deepEqual(seen, []);
	assert.deepEqual(stamps(), before);
});

test("a dataset is not there before it is prepared, and is another one when its text has changed", async (t) => {
	const { dataset, spec, options } = await prepareStories(t);
	assert.equal(openDataset(spec, { cacheDir: join(options.cacheDir, "elsewhere") }), undefined);
	assert.equal(openDataset(spec, options)?.dir, dataset.dir);
	writeFileSync(join(spec.source, "0000.txt"), "Another text altogether.");
	assert.equal(openDataset(spec, options), undefined);
});

const damages: Record<string, (dir: string) => void> = {
	"lost a file": (dir) => rmSync(join(dir, "val.bin")),
	"was cut short": (dir) => truncateSync(join(dir, "train.bin"), 100),
	"lost its manifest": (dir) => rmSync(join(dir, "manifest.json")),
	"has a torn manifest": (dir) => truncateSync(join(dir, "manifest.json"), 40),
};

for (const [what, damage] of Object.entries(damages))
	test(`a dataset that ${what} is not opened, and prepare repairs it`, async (t) => {
		const { dataset, spec, options } = await prepareStories(t);
		const whole = contents(dataset);
		damage(dataset.dir);
		assert.equal(openDataset(spec, options), undefined);
		assert.deepEqual(contents(await prepareDataset(spec, options)), whole);
		assert.deepEqual(readdirSync(dirname(dataset.dir)).length, 1, "nothing is left lying about");
	});

test("a flipped byte is found and repaired", async (t) => {
	const { dataset, spec, options } = await prepareStories(t);
	const whole = contents(dataset);
	const path = join(dataset.dir, "train.bin");
	const bytes = readFileSync(path);
	bytes[1000]! ^= 1;
	writeFileSync(path, bytes);
	assert.deepEqual(contents(await prepareDataset(spec, options)), whole);
});

test("what a killed prepare has left is removed by the next one, and a living one's is not", async (t) => {
	const { dataset, spec, options } = await prepareStories(t);
	const dead = spawn(process.execPath, ["-e", ""]);
	await once(dead, "exit");
	const abandoned = `${dataset.dir}.tmp-${dead.pid}-abc`;
	const living = `${dataset.dir}.tmp-${process.ppid}-abc`;
	mkdirSync(abandoned);
	mkdirSync(living);
	rmSync(join(dataset.dir, "val.bin"));
	await prepareDataset(spec, options);
	assert.throws(() => statSync(abandoned));
	assert.ok(statSync(living));
});

test("processes that prepare, or repair, the same dataset at once all end with it whole", async (t) => {
	const folder = temporaryFolder(t);
	const source = folderOfStories(folder, 120);
	const cacheDir = join(folder, "cache");
	const module = new URL("../../prepare/dataset.ts", import.meta.url).href;
	const script = `
		const { prepareDataset } = await import(${JSON.stringify(module)});
		const spec = { source: ${JSON.stringify(source)}, vocabSize: ${VOCABULARY} };
		await prepareDataset(spec, { cacheDir: ${JSON.stringify(cacheDir)} });`;
	for (const state of ["absent", "damaged"]) {
		const runs = [1, 2, 3].map(() =>
			spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" }),
		);
		for (const [code] of await Promise.all(runs.map((run) => once(run, "exit")))) assert.equal(code, 0, state);
		const [dataset, ...more] = readdirSync(join(cacheDir, "datasets"));
		assert.deepEqual(more, [], "nothing is left lying about");
		const seen: PrepareProgress[] = [];
		await prepareDataset(
			{ source, vocabSize: VOCABULARY },
			{ cacheDir, onProgress: (progress) => seen.push(progress) },
		);
		assert.deepEqual(seen, [], "what they left needs no repair");
		rmSync(join(cacheDir, "datasets", dataset!, "val.bin"));
	}
});

test("an aborted prepare leaves nothing", async (t) => {
	const folder = temporaryFolder(t);
	const spec = { source: folderOfStories(folder, 120), vocabSize: VOCABULARY };
	const cacheDir = join(folder, "cache");
	const abort = new AbortController();
	const onProgress = ({ stage }: PrepareProgress) => stage === "tokenizer" && abort.abort();
	await assert.rejects(prepareDataset(spec, { cacheDir, signal: abort.signal, onProgress }), { name: "AbortError" });
	assert.deepEqual(readdirSync(join(cacheDir, "datasets")), []);
});

test("progress names each stage and ends at its total", async (t) => {
	const folder = temporaryFolder(t);
	const last = new Map<string, PrepareProgress>();
	const spec = { source: folderOfStories(folder, 120), vocabSize: VOCABULARY };
	await prepareDataset(spec, { cacheDir: folder, onProgress: (progress) => last.set(progress.stage, progress) });
	assert.deepEqual([...last.keys()], ["corpus", "tokenizer", "tokens"]);
	for (const { done, total } of last.values()) assert.equal(done, total);
});

test("a mistake is explained with what to do about it", async (t) => {
	const folder = temporaryFolder(t);
	const cacheDir = join(folder, "cache");
	const refused = (source: string, vocabSize: number, message: RegExp) =>
		assert.rejects(prepareDataset({ source, vocabSize }, { cacheDir }), { name: "PrepareError", message });
	await refused(join(folder, "nowhere"), VOCABULARY, /there is no source at .*nowhere: give "sotu", or the path/);
	await refused(folderOfStories(folder, 2), VOCABULARY, /none of the corpus's 2 documents falls in the \w+ split/);
	await refused(folderOfStories(folder, 120), 60_000, /too small for a vocabulary of 60000.*smaller data\.vocabulary/);
	await refused(folderOfStories(folder, 120), 100, /a vocabulary has 261 to 65536 tokens, not 100/);
	cpSync(join(folder, "corpus"), join(folder, "pictures"), {
		recursive: true,
		filter: (path) => !path.endsWith(".txt"),
	});
	writeFileSync(join(folder, "blank.txt"), "\n");
	await refused(join(folder, "blank.txt"), VOCABULARY, /the corpus holds no text/);
	await refused(join(folder, "pictures"), VOCABULARY, /no text in .*pictures/);
});
