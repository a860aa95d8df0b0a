/** Why a run ended badly, as one sentence a person can read, from what it left behind. */
import type { ProcessResult } from "../subprocess/run-process.ts";

const SIGNALS: Partial<Record<NodeJS.Signals, string>> = {
	SIGKILL: "killed (SIGKILL), most likely out of memory",
	SIGABRT: "aborted (SIGABRT)",
	SIGSEGV: "segmentation fault (SIGSEGV)",
	SIGBUS: "bus error (SIGBUS)",
	SIGFPE: "arithmetic fault (SIGFPE)",
	SIGILL: "illegal instruction (SIGILL)",
};

const PROGRESS_LINE = /^\s*step \d/;

const REASON_LIMIT = 300;

export function crashReason(result: ProcessResult, timeoutSeconds: number): string {
	return reason(result, timeoutSeconds).slice(0, REASON_LIMIT);
}

function reason(result: ProcessResult, timeoutSeconds: number): string {
	if (result.spawnError) return `could not be started: ${result.spawnError.message}`;
	if (result.timedOut) {
		const words = lastWords(result.tail.filter((line) => !PROGRESS_LINE.test(line)));
		const late = `timeout: still running after ${Math.round(timeoutSeconds)} s, the limit for a whole run`;
		return words ? `${late}; its last words: ${words}` : late;
	}
	const stated = result.tail.findLast((line) => line.startsWith("crash: "));
	if (stated) return stated.slice("crash: ".length);
	const error = namedError(result.tail);
	if (result.signal) {
		const how = SIGNALS[result.signal] ?? `ended by ${result.signal}`;
		return error ? `${how}: ${error}` : how;
	}
	const said = error ?? lastWords(result.tail);
	return said ? `exit ${result.code}: ${said}` : `exit ${result.code} without output`;
}

/**
 * The line that names the error: Python's last traceback line, a JavaScript error's first (indented in a test's
 * report), ggml's before it aborts.
 */
function namedError(tail: string[]): string | undefined {
	return tail
		.findLast((line) =>
			/^(\w+\.)*\w*(Error|Exception|Interrupt)\b|^\s+\w*Error(:| \[)|^\w+ error: \S|GGML_ASSERT/.test(line),
		)
		?.trim();
}

/** The last line with a letter or a digit in it, which a closing bracket or a rule has not; any line if none has. */
function lastWords(tail: string[]): string | undefined {
	return tail.findLast((line) => /[\p{L}\p{N}]/u.test(line))?.trim() ?? tail.at(-1);
}
