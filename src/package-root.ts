/** The folder that holds our package.json. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of our package.json: above src/ in a checkout, above dist/src/ when compiled. */
export const packageRoot: string = find(import.meta.dirname);

function find(dir: string): string {
	return existsSync(join(dir, "package.json")) ? dir : find(dirname(dir));
}
