/** Turns text printed by another process into part of a message. */
const LONGEST_REASON = 400;

/** The text as one bounded line without control characters. */
export function oneLine(text: string): string {
	const line = text
		.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "")
		.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, " ")
		.trim();
	return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON - 1)}…` : line;
}

/** The last line that reports an assertion or an error, else the last line. */
export function lastError(words: string): string {
	const lines = words.split("\n").map(oneLine).filter(Boolean);
	// ggml says `CUDA error: out of memory`, below it `cudaGetLastError()`, then `ggml-cuda.cu:108: CUDA error`.
	const isError = /GGML_ASSERT|\b\w*Error\b(?!\()|FATAL|\w error: \S/;
	return lines.findLast((line) => isError.test(line)) ?? lines.at(-1) ?? "";
}
