/** Files of the run, read when a view needs them. */
import { useEffect, useState } from "react";
import type { Files, LogChunk } from "../engine/engine.ts";
import { printable } from "../text.ts";

export type Loaded<T> = { value: T; problem?: undefined } | { value?: undefined; problem?: string };

/** The result of `read`, which is called again when `key` changes, and not at all for an undefined key. */
export function useRead<T>(key: string | undefined, read: () => Promise<T>): Loaded<T> {
	const [loaded, setLoaded] = useState<{ key?: string } & Loaded<T>>({});
	// biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for what is read
	useEffect(() => {
		if (key === undefined) return;
		let current = true;
		read().then(
			(value) => current && setLoaded({ key, value }),
			(error: unknown) =>
				current && setLoaded({ key, problem: error instanceof Error ? error.message : String(error) }),
		);
		return () => {
			current = false;
		};
	}, [key]);
	return loaded.key === key ? loaded : {};
}

const CHUNK_BYTES = 256 * 1024;
const LINES_KEPT = 20_000;
const POLL_MS = 500;

/** The end of experiment `n`'s log as lines, growing while `live`. */
export function useLog(files: Files, n: number | undefined, live: boolean): Loaded<readonly string[]> {
	const [loaded, setLoaded] = useState<{ n?: number } & Loaded<readonly string[]>>({});
	useEffect(() => {
		if (n === undefined) return;
		let current = true;
		let timer: NodeJS.Timeout | undefined;
		const log = new LogLines();
		const poll = async () => {
			try {
				let chunk: LogChunk;
				do {
					chunk = await files.log(n, log.to ?? -CHUNK_BYTES, CHUNK_BYTES);
					if (!current) return;
					if (log.add(chunk)) setLoaded({ n, value: log.lines() });
				} while (chunk.to < chunk.size && chunk.text !== "");
			} catch (error) {
				if (current) setLoaded({ n, problem: error instanceof Error ? error.message : String(error) });
			}
			if (current && live) timer = setTimeout(poll, POLL_MS);
		};
		void poll();
		return () => {
			current = false;
			clearTimeout(timer);
		};
	}, [files, n, live]);
	return loaded.n === n ? loaded : {};
}

/**
 * The lines of a log that arrives in pieces. A line that overwrites itself with carriage returns keeps its last state.
 */
export class LogLines {
	/** Byte offset at which the next piece begins; undefined before the first. */
	to: number | undefined;
	#whole: string[] = [];
	#open = "";

	/** Adds a piece; false when it is empty and not the first. */
	add({ text, to }: LogChunk): boolean {
		const isFirst = this.to === undefined;
		this.to = to;
		const pieces = (this.#open + text).split("\n");
		this.#open = pieces.pop()!;
		// A progress line is rewritten for hours without a line feed, so only its last state is kept.
		this.#open = this.#open.slice(Math.max(0, this.#open.replace(/\r+$/, "").lastIndexOf("\r")));
		this.#whole = [...this.#whole, ...pieces.map(printable)].slice(-LINES_KEPT);
		return isFirst || text !== "";
	}

	lines(): readonly string[] {
		return this.#open === "" ? this.#whole : [...this.#whole, printable(this.#open)];
	}
}
