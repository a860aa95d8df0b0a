/** Errors that name the operation, the shapes, and the line of train.ts. */

/** An expression that cannot be built or run as written. The message ends with the line that asked for it. */
export class TensorError extends Error {
	override name = "TensorError";
}

/** Throws a {@link TensorError} that names the operation and the caller's line. */
export function fail(op: string, problem: string): never {
	const line = callSite();
	throw new TensorError(`${op}: ${problem}${line ? ` (${line})` : ""}`);
}

/** `[2, 3]`, as in every message. */
export function show(shape: readonly number[]): string {
	return `[${shape.map(String).join(", ")}]`;
}

/** The innermost stack frame outside this library, as `train.ts:42`. Takes too long to be asked for every tensor. */
export function callSite(): string | undefined {
	const { stackTraceLimit } = Error;
	Error.stackTraceLimit = 50;
	const frames = (new Error().stack ?? "").split("\n").slice(1);
	Error.stackTraceLimit = stackTraceLimit;
	for (const frame of frames) {
		const at = /(?:file:\/\/)?([^\s()]+):(\d+):\d+\)?$/.exec(frame);
		if (!at?.[1] || at[1].startsWith("node:") || at[1].startsWith(import.meta.dirname)) continue;
		return `${at[1].split("/").at(-1)}:${at[2]}`;
	}
	return undefined;
}
