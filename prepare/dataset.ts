/**
 * A prepared dataset: a folder in the user's cache with the tokenizer and three splits of tokens. `prepareDataset`
 * makes it once; `openDataset` reads it and never writes. The folder is complete or absent: it is built beside its
 * final place and renamed, so a killed or a second `prepare` does no harm.
 *
 *     manifest.json    what is here: counts, sizes, hashes; written last
 *     tokenizer.json   see tokenizer.ts
 *     train.bin …      uint16 token ids, little-endian; every passage begins with BOS
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { moveIntoPlace, removeAbandoned, scratchBeside } from "./atomic-dir.ts";
import { HELD_OUT_SHARE, RESERVED_TOKENS, SPLIT_PATTERN } from "./constants.ts";
import { PrepareError } from "./errors.ts";
import { FORMAT, type Manifest, readManifest, type SplitCounts } from "./manifest.ts";
import type { PrepareProgress } from "./progress.ts";
import { resolveSource } from "./sources/resolve.ts";
import type { Source } from "./sources/source.ts";
import type { SplitName } from "./splits.ts";
import { type TokenizerFile, tokenBytes } from "./tokenizer-file.ts";

export { PrepareError } from "./errors.ts";
export type { PrepareProgress } from "./progress.ts";
export type { SplitName } from "./splits.ts";

export interface DatasetSpec {
	/** `sotu`, or the path of a text file, a .jsonl file or a folder. */
	source: string;
	/** Tokens in the vocabulary, the reserved ones included. */
	vocabSize: number;
}

export interface PrepareOptions {
	cacheDir?: string;
	onProgress?: (progress: PrepareProgress) => void;
	signal?: AbortSignal;
}

export interface Split {
	/** All passages one after the other, each beginning with BOS. */
	tokens: Uint16Array;
	counts: SplitCounts;
}

/** `$XDG_CACHE_HOME/autoresearch`, or `~/.cache/autoresearch`. */
export function defaultCacheDir(): string {
	return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "autoresearch");
}

export class Dataset {
	readonly dir: string;
	readonly vocabSize: number;
	readonly bosId: number;
	/** Bytes each token id stands for, 0 for reserved ones. */
	readonly tokenBytes: Uint16Array;
	readonly tokenizer: TokenizerFile;
	readonly manifest: Manifest;

	constructor(dir: string, manifest: Manifest) {
		this.dir = dir;
		this.manifest = manifest;
		this.tokenizer = JSON.parse(readFileSync(join(dir, "tokenizer.json"), "utf8"));
		this.vocabSize = manifest.vocabSize;
		this.bosId = this.vocabSize - this.tokenizer.reserved.length;
		this.tokenBytes = tokenBytes(this.tokenizer);
	}

	/** Reads a split into memory. */
	split(name: SplitName): Split {
		const { buffer, byteOffset, byteLength } = readFileSync(join(this.dir, `${name}.bin`));
		const tokens = new Uint16Array(buffer.slice(byteOffset, byteOffset + byteLength));
		return { tokens, counts: this.manifest.splits[name] };
	}
}

/**
 * The dataset as it was prepared, or undefined when it was not, or is damaged.
 *
 * @throws PrepareError when the source itself does not exist
 */
export function openDataset(spec: DatasetSpec, { cacheDir = defaultCacheDir() } = {}): Dataset | undefined {
	return openAt(datasetDir(resolveSource(spec.source), spec, cacheDir));
}

/**
 * Makes the dataset unless it is there already and whole: the hash of every file is checked, and a damaged dataset is
 * made again.
 *
 * @throws PrepareError with what to do about it
 */
export async function prepareDataset(spec: DatasetSpec, options: PrepareOptions = {}): Promise<Dataset> {
	const { cacheDir = defaultCacheDir(), onProgress = () => {}, signal } = options;
	if (!(spec.vocabSize > 256 + RESERVED_TOKENS.length && spec.vocabSize <= 65_536))
		throw new PrepareError(`a vocabulary has 261 to 65536 tokens, not ${spec.vocabSize}`);
	const source = resolveSource(spec.source);
	const dir = datasetDir(source, spec, cacheDir);
	const isWhole = () => readManifest(dir, "hashes") !== undefined;

	if (!isWhole()) {
		await mkdir(join(cacheDir, "datasets"), { recursive: true });
		await removeAbandoned(dir);
		const scratch = await scratchBeside(dir);
		try {
			onProgress({ stage: "corpus", done: 0, total: 1, note: source.name });
			const corpus = await source.open({ cacheDir, signal });
			onProgress({ stage: "corpus", done: 1, total: 1, note: source.name });
			// Loaded here only: every training run opens a dataset, few build one.
			const { buildDataset } = await import("./build.ts");
			await buildDataset(scratch, source.name, corpus, spec.vocabSize, onProgress, signal);
			await moveIntoPlace(scratch, dir, isWhole);
		} finally {
			await rm(scratch, { recursive: true, force: true });
		}
	}
	const dataset = openAt(dir);
	if (!dataset) throw new PrepareError(`${dir} was changed while it was being prepared; run prepare again`);
	return dataset;
}

function openAt(dir: string): Dataset | undefined {
	const manifest = readManifest(dir, "sizes");
	return manifest && new Dataset(dir, manifest);
}

function datasetDir(source: Source, { vocabSize }: DatasetSpec, cacheDir: string): string {
	const makings = [FORMAT, vocabSize, source.fingerprint, SPLIT_PATTERN, RESERVED_TOKENS, HELD_OUT_SHARE];
	const key = createHash("sha256").update(JSON.stringify(makings)).digest("hex").slice(0, 12);
	const label = basename(source.name).replace(/[^\w.-]/g, "_");
	return join(cacheDir, "datasets", `${label}-${vocabSize}-${key}`);
}
