/** Where documents come from. A source is named on the command line: `sotu`, or the path of the user's own text. */
import { localSource } from "./local.ts";
import { sotuSource } from "./sotu.ts";

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

/** A mistake of the user or a fact of the machine that the message explains; not a defect. */
export class PrepareError extends Error {
	override name = "PrepareError";
}

/** @throws PrepareError when there is nothing at that path */
export function resolveSource(name: string): Source {
	return name === "sotu" ? sotuSource : localSource(name);
}
