/** A real checkout of a real repository for an agent to work in. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Checkout } from "../../../src/git/checkout.ts";

export function checkoutOf(files: Record<string, string>): Checkout {
	const dir = mkdtempSync(join(tmpdir(), "autoresearch-checkout-"));
	const git = (...args: string[]) =>
		execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: dir, encoding: "utf8" });
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(dirname(join(dir, path)), { recursive: true });
		writeFileSync(join(dir, path), text);
	}
	git("init", "--quiet");
	git("add", "--all");
	git("commit", "--quiet", "-m", "base");
	return {
		dir,
		pidPath: `${dir}.pid`,
		changed: async () =>
			git("status", "--porcelain", "--untracked-files=all")
				.split("\n")
				.filter(Boolean)
				.map((line) => line.slice(3)),
		async [Symbol.asyncDispose]() {
			rmSync(dir, { recursive: true, force: true });
			rmSync(`${dir}.pid`, { force: true });
		},
	};
}
