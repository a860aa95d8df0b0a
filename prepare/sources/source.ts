/** What a source of documents is. */
export interface Source {
	/** For people: `sotu`, or the absolute path. */
	readonly name: string;
	/** Changes when the documents do; part of the name of the prepared dataset. Cheap: reads no document. */
	readonly fingerprint: string;
	/** Makes the documents available; rejects with what to do when that is not possible. */
	open(options: SourceOptions): Promise<Corpus>;
}

export interface SourceOptions {
	/** Where downloads are kept. */
	cacheDir: string;
	signal?: AbortSignal;
}

export interface Corpus {
	/** About how many bytes of text there are, for progress. */
	readonly bytes: number;
	/** The text of each document; the same ones in the same order every time it is called. */
	documents(): AsyncIterable<string> | Iterable<string>;
}
