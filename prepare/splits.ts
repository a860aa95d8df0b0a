/**
 * Which split a document belongs to. The document's own content decides, by its hash, so adding or removing documents
 * never moves another one, and two copies of a text always land on the same side.
 */
import { createHash } from "node:crypto";
import { HELD_OUT_SHARE } from "./constants.ts";

/** `val` steers the search; `test` is held out from the researcher and from the gate. */
export const SPLITS = ["train", "val", "test"] as const;
export type SplitName = (typeof SPLITS)[number];

export function splitOf(text: string): SplitName {
	const place = createHash("sha256").update(text).digest().readUInt32BE(0) / 2 ** 32;
	if (place < HELD_OUT_SHARE) return "val";
	return place < 2 * HELD_OUT_SHARE ? "test" : "train";
}
