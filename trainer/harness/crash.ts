/** Failures of train.ts, as one line that names the reason and the place. */
import { oneLine } from "../tensor/text.ts";

/** A run that failed because of train.ts, with a readable reason. Ends in one line: `crash: reason`. */
export class Crash extends Error {
	override name = "Crash";
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
