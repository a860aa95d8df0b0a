/** Where documents come from. A source is named on the command line: `sotu`, or the path of the user's own text. */
import { localSource } from "./local.ts";
import { sotuSource } from "./sotu.ts";
import type { Source } from "./source.ts";

/** @throws PrepareError when there is nothing at that path */
export function resolveSource(name: string): Source {
	return name === "sotu" ? sotuSource : localSource(name);
}
