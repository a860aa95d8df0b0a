/**
 * A process by pid and start time, so that a recycled pid is never mistaken for the process that had it before.
 */
import { readFileSync } from "node:fs";

/** `"<pid> <start time>"`; the start time is empty where there is no /proc. */
export function identityOf(pid: number): string {
	return `${pid} ${statOf(pid).since}`;
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
	const stat = statOf(Number(pid));
	return stat.state !== "Z" && stat.since === since;
}

/** State, and start time in clock ticks since boot, from /proc/<pid>/stat; empty where there is no such thing. */
function statOf(pid: number): { state: string; since: string } {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		// Fields are counted from after the command name, which may hold anything.
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		return { state: fields[0] ?? "", since: fields[19] ?? "" };
	} catch {
		return { state: "", since: "" };
	}
}
