/**
 * The benchmarks that the README quotes still run and print the figures they promise. Their values are not asserted.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../../src/package-root.ts";

/** The object a benchmark prints last. */
function figures(name: string, ...args: string[]): Record<string, unknown> {
	const command = [join(packageRoot, name), ...args, "--json"];
	const printed = execFileSync(process.execPath, command, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
	return JSON.parse(printed.trimEnd().split("\n").at(-1)!);
}

const numbers = (object: Record<string, unknown>) => Object.values(object).every(Number.isFinite);

test("bench:loop", () => {
	const { phases, ...overhead } = figures(
		"bench/loop/bench.ts",
		"--experiments",
		"3",
		"--budget",
		"1",
		"--answer",
		"0.1",
	);
	assert.deepEqual(Object.keys(overhead), ["overhead_s_p50", "overhead_s_p95"]);
	assert.deepEqual(Object.keys(phases as object), ["propose", "preflight", "startup", "evaluate", "git_and_gate"]);
	assert.ok(numbers(overhead) && numbers(phases as Record<string, unknown>));
});

test("the count of what a step asks of a GPU", () => {
	const { microSteps, uploads, readBacks } = figures("scripts/check-gpu/count.ts", "--rows", "2");
	assert.equal(uploads, (microSteps as number) + 1);
	assert.equal(readBacks, 1);
});
