/** A run tag names one night's search: its branch, its refs and its folder under results/. */
import { UserError } from "../errors.ts";

/** Today's, like `nov21`. */
export function todaysTag(now = new Date()): string {
	return now.toLocaleDateString("en-US", { month: "short" }).toLowerCase() + now.getDate();
}

/** @throws UserError when it could not be a branch or a folder. */
export function checkTag(tag: string): string {
	if (/^[a-z0-9](?:[a-z0-9_-]|\.(?!\.|$|lock$))*$/i.test(tag)) return tag;
	throw new UserError(`"${tag}" cannot be a tag: use letters, digits, "-", "_" and single dots, like nov21`);
}
