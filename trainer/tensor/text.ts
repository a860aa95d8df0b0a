/** Text from another process made fit for a message. */
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
