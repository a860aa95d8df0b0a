/** A run that failed because of what train.ts did, with a reason a person can read. Ends in one line: `crash: reason`. */
export class Crash extends Error {
	override name = "Crash";
}

const LONGEST_REASON = 400;

/** Text from a run made fit for one line of a table: no control characters, no line breaks, bounded. */
export function oneLine(text: string): string {
	const line = text
		.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "")
		.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, " ")
		.trim();
	return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON - 1)}…` : line;
}

/** The line among the last ones printed that says what went wrong: an assertion's, an error's, or simply the last. */
export function lastError(words: string): string {
	const lines = words.split("\n").map(oneLine).filter(Boolean);
	// ggml says `CUDA error: out of memory`, below it `cudaGetLastError()`, then `ggml-cuda.cu:108: CUDA error`.
	const isError = /GGML_ASSERT|\b\w*Error\b(?!\()|FATAL|\w error: \S/;
	return lines.findLast((line) => isError.test(line)) ?? lines.at(-1) ?? "";
}

/**
 * What went wrong and where in the researcher's file: `message (train.ts:12)`. The message of a syntax error carries no
 * place, but its stack begins with one.
 *
 * @param file the name of the researcher's file, such as `train.ts`
 */
export function reasonOf(error: unknown, file: string): string {
	if (!(error instanceof Error)) return oneLine(`${file} threw ${String(error)}`);
	const message = /^(Type|Range|Reference|Syntax)Error$/.test(error.name)
		? `${error.name}: ${error.message}`
		: error.message;
	if (message.includes(`${file}:`)) return oneLine(message);
	const at = error.stack?.indexOf(`${file}:`) ?? -1;
	const line = at >= 0 && /^\d+/.exec(error.stack!.slice(at + file.length + 1))?.[0];
	return oneLine(line ? `${message} (${file}:${line})` : message);
}
