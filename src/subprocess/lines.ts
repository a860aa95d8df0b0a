/** Cuts a stream of text into lines; of a line longer than the limit its beginning is kept, where an error is named. */

const LINE_LIMIT = 4096;
/**
 * karpathy/autoresearch's progress line begins with a carriage return and ends in four blanks, with no line end until
 * the next one: it must be seen when it is printed.
 */
const PROGRESS_END = "    ";

export class LineSplitter {
	#rest = "";
	readonly #emit: (line: string) => void;

	/** @param emit called with each line; a carriage return ends a line too */
	constructor(emit: (line: string) => void) {
		this.#emit = emit;
	}

	push(text: string): void {
		const parts = (this.#rest + text).split(/\r\n|\r|\n/);
		this.#rest = parts.pop()!.slice(0, LINE_LIMIT);
		for (const part of parts) this.#emit(part.slice(0, LINE_LIMIT));
		if (this.#rest.endsWith(PROGRESS_END)) this.end();
	}

	/** The stream has ended: its last line may lack a line end. */
	end(): void {
		this.#emit(this.#rest);
		this.#rest = "";
	}
}
