/** The types of the journal's events say what each event means. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

test("every event and tick has a comment of its own, directly above it", () => {
	const text = readFileSync(join(import.meta.dirname, "../../src/journal/events.ts"), "utf8");
	const lines = text.split("\n");
	const named = /^\t("(run|program|experiment|note)\.[a-z-]+"|notice): |^\t\| \{ type: "tick\.|^\t\| \{$/;
	const events = lines.flatMap((line, i) => (named.test(line) ? [{ line, above: lines[i - 1]!.trim() }] : []));
	assert.ok(events.length > 20, `${events.length} events were found`);
	assert.deepEqual(
		events.filter(({ above }) => !above.endsWith("*/")).map(({ line }) => line.trim()),
		[],
	);
});
