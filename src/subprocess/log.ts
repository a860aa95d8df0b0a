/** A log file of bounded length: a program that prints without end must not fill the disk. */
import { closeSync, openSync, writeSync } from "node:fs";

const LIMIT_BYTES = 16 * 1024 * 1024;

export class LimitedLog {
	readonly #fd: number;
	#written = 0;

	constructor(path: string) {
		this.#fd = openSync(path, "w");
	}

	write(chunk: Buffer): void {
		if (this.#written > LIMIT_BYTES) return;
		this.#written += chunk.length;
		const isFull = this.#written > LIMIT_BYTES;
		try {
			writeSync(this.#fd, isFull ? Buffer.from("\n[the log ends here: it has reached its limit of 16 MB]\n") : chunk);
		} catch {
			// A full disk costs the log, not the run.
		}
	}

	close(): void {
		closeSync(this.#fd);
	}
}
