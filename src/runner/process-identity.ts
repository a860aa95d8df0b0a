/**
 * A process by pid and start time, so that a recycled pid is never mistaken for the process that had it before.
 */
import { readFileSync } from "node:fs";

/** `"<pid> <start time>"`; the start time is empty where there is no /proc. */
export function identityOf(pid: number): string {
	return `${pid} ${startTime(pid)}`;
}

/** Whether the process an identity names still runs. */
export function isAlive(identity: string): boolean {
	const [pid = "", since = ""] = identity.trim().split(" ");
	if (!/^\d+$/.test(pid)) return false;
	try {
		process.kill(Number(pid), 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
	return startTime(Number(pid)) === since;
}

/** Clock ticks since boot: field 22 of /proc/<pid>/stat, counted after the command name, which may hold anything. */
function startTime(pid: number): string {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
	} catch {
		return "";
	}
}
