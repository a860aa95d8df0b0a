/** Opens the user's editor. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";

/** Runs $VISUAL or $EDITOR (which may have arguments) on a file; resolves when it is closed, rejects when it fails. */
export async function openEditor(path: string, env: Record<string, string | undefined>): Promise<void> {
	const editor = env.VISUAL || env.EDITOR || "vi";
	// Ink has removed its listener, but Node still reads the terminal and would take every other key from the editor. A
	// pause stops it, once the stream has noticed that it has no listener; a stream that was never resumed ignores the
	// pause.
	await setImmediate();
	process.stdin.resume().pause();
	await setImmediate();
	// A shell splits the arguments: EDITOR="code --wait".
	const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
	const [code] = await once(child, "exit");
	if (code !== 0) throw new Error(`"${editor}" ended with ${code ?? "a signal"}; set $EDITOR to the editor you want`);
}
