/** From documents to a dataset's files: learns the tokenizer on the training split, then encodes all three. */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { countPretokens, trainBpe } from "./bpe.ts";
import { RESERVED_TOKENS, SPLIT_PATTERN } from "./constants.ts";
import { PrepareError } from "./errors.ts";
import { FORMAT, type Manifest, type SplitCounts } from "./manifest.ts";
import { passages } from "./passages.ts";
import type { PrepareProgress } from "./progress.ts";
import type { Corpus } from "./sources/source.ts";
import { SPLITS, type SplitName, splitOf } from "./splits.ts";
import { Tokenizer } from "./tokenizer.ts";
import { type TokenizerFile, tokenizerFile } from "./tokenizer-file.ts";

/** Characters of training text the tokenizer is learned from; a larger corpus adds time but hardly a merge. */
const TOKENIZER_SAMPLE = 64_000_000;

/** Writes every file of the dataset into the empty folder `dir`. The event loop stays free, for progress bars. */
export async function buildDataset(
	dir: string,
	sourceName: string,
	corpus: Corpus,
	vocabSize: number,
	onProgress: (progress: PrepareProgress) => void,
	signal?: AbortSignal,
): Promise<void> {
	const tokenizer = await learnTokenizer(corpus, vocabSize, onProgress, signal);
	const tokenizerJson = JSON.stringify(tokenizer);
	await writeFile(join(dir, "tokenizer.json"), tokenizerJson);
	const sha256 = createHash("sha256").update(tokenizerJson).digest("hex");

	const splits = await encodeSplits(dir, corpus, tokenizer, onProgress, signal);
	const manifest: Manifest = {
		format: FORMAT,
		source: sourceName,
		vocabSize,
		splits: { train: splits.train.counts, val: splits.val.counts, test: splits.test.counts },
		files: { "tokenizer.json": { size: Buffer.byteLength(tokenizerJson), sha256 } },
	};
	for (const name of SPLITS) manifest.files[`${name}.bin`] = splits[name].file;
	await writeFile(join(dir, "manifest.json"), JSON.stringify(manifest, null, "\t"));
}

async function learnTokenizer(
	corpus: Corpus,
	vocabSize: number,
	onProgress: (progress: PrepareProgress) => void,
	signal?: AbortSignal,
): Promise<TokenizerFile> {
	const size = vocabSize - RESERVED_TOKENS.length;
	const pattern = new RegExp(SPLIT_PATTERN, "gu");
	const pretokens = new Map<string, number>();
	const seen = { train: 0, val: 0, test: 0 };
	let characters = 0;
	for await (const document of texts(corpus, signal)) {
		const split = splitOf(document);
		seen[split]++;
		if (split === "train" && characters < TOKENIZER_SAMPLE) {
			characters += document.length;
			countPretokens(document, pattern, pretokens);
			await breathe();
		}
	}
	requireEverySplit(seen);

	const tokens = await trainBpe(pretokens, size, async (done) => {
		if (done % 64 !== 0 && done !== size) return;
		onProgress({ stage: "tokenizer", done, total: size });
		signal?.throwIfAborted();
		await breathe();
	});
	if (tokens.length < size)
		throw new PrepareError(
			`the corpus is too small for a vocabulary of ${vocabSize}: it has pairs for ` +
				`${tokens.length + RESERVED_TOKENS.length}; give more text, or a smaller data.vocabulary in the lab file`,
		);
	return tokenizerFile(tokens);
}

/** The documents that hold any text. */
async function* texts(corpus: Corpus, signal?: AbortSignal): AsyncGenerator<string> {
	for await (const document of corpus.documents()) {
		signal?.throwIfAborted();
		if (document.trim()) yield document;
	}
}

function requireEverySplit(seen: Record<SplitName, number>): void {
	const documents = seen.train + seen.val + seen.test;
	if (documents === 0) throw new PrepareError("the corpus holds no text: its files are empty, or blank");
	for (const name of SPLITS)
		if (seen[name] === 0)
			throw new PrepareError(
				`none of the corpus's ${documents} documents falls in the ${name} split (1 in 20 is drawn for val, and for ` +
					`test, by the hash of its text); give a corpus of more documents, 200 or better`,
			);
}

async function encodeSplits(
	dir: string,
	corpus: Corpus,
	file: TokenizerFile,
	onProgress: (progress: PrepareProgress) => void,
	signal?: AbortSignal,
): Promise<Record<SplitName, SplitWriter>> {
	using tokenizer = new Tokenizer(file);
	const splits = {
		train: await SplitWriter.open(join(dir, "train.bin")),
		val: await SplitWriter.open(join(dir, "val.bin")),
		test: await SplitWriter.open(join(dir, "test.bin")),
	};
	try {
		let done = 0;
		for await (const document of texts(corpus, signal)) {
			await splits[splitOf(document)].add(document, tokenizer);
			done += document.length;
			onProgress({ stage: "tokens", done: Math.min(done, corpus.bytes), total: corpus.bytes });
			await breathe();
		}
	} finally {
		for (const split of Object.values(splits)) await split.close();
	}
	onProgress({ stage: "tokens", done: corpus.bytes, total: corpus.bytes });
	return splits;
}

class SplitWriter {
	readonly counts: SplitCounts = { documents: 0, passages: 0, tokens: 0, bytes: 0 };
	readonly #handle: FileHandle;
	readonly #hash: Hash = createHash("sha256");

	private constructor(handle: FileHandle) {
		this.#handle = handle;
	}

	static async open(path: string): Promise<SplitWriter> {
		return new SplitWriter(await open(path, "w"));
	}

	async add(document: string, tokenizer: Tokenizer): Promise<void> {
		const encoded: Buffer[] = [];
		for (const passage of passages(document)) {
			const ids = Uint16Array.of(tokenizer.bosId, ...tokenizer.encode(passage));
			encoded.push(Buffer.from(ids.buffer));
			this.counts.passages++;
			this.counts.tokens += ids.length;
			this.counts.bytes += Buffer.byteLength(passage);
		}
		const bytes = Buffer.concat(encoded);
		this.counts.documents++;
		this.#hash.update(bytes);
		await this.#handle.writeFile(bytes);
	}

	/** Flushes to the disk, so that a manifest never outlives the tokens it promises. */
	async close(): Promise<void> {
		await this.#handle.sync();
		await this.#handle.close();
	}

	/** Size and hash of what has been written. */
	get file(): { size: number; sha256: string } {
		return { size: this.counts.tokens * Uint16Array.BYTES_PER_ELEMENT, sha256: this.#hash.copy().digest("hex") };
	}
}
