/** Process groups: every program is started as the leader of one, and the group ends with it. */
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isAlive } from "./identity.ts";

/** How long the pipes of a program that has ended may stay open. */
const PIPES_MS = 500;

/**
 * Ends a child's group when its leader has ended, and its pipes a moment later, so that `close` follows `exit` soon: a
 * process that has left the group may hold them open without end.
 */
export function endWithLeader(child: ChildProcess): void {
	child.once("exit", () => {
		signalGroup(child.pid, "SIGKILL");
		const timer = setTimeout(() => {
			child.stdout?.destroy();
			child.stderr?.destroy();
		}, PIPES_MS);
		child.once("close", () => clearTimeout(timer));
	});
}

export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
	if (!pid) return;
	try {
		process.kill(-pid, signal);
	} catch {
		// The group is gone already.
	}
}

/** Ends the process group a pid file names, if it still runs. Returns whether there was one. */
export function endLeftover(pidPath: string): boolean {
	if (!existsSync(pidPath)) return false;
	const identity = readFileSync(pidPath, "utf8");
	if (!isAlive(identity)) return false;
	signalGroup(Number.parseInt(identity, 10), "SIGKILL");
	return true;
}
