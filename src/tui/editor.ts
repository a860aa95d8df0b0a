/** The human's editor, on the human's file. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";

/** Runs $VISUAL or $EDITOR (which may have arguments) on a file; settles when it is closed. */
export async function openEditor(path: string, env: Record<string, string | undefined>): Promise<void> {
	const editor = env.VISUAL || env.EDITOR || "vi";
	// Ink lets go of the keyboard, but Node goes on reading it and would take every other key from the editor. Once the stream
	// has noticed that nobody listens any more, a pause makes it stop; but it takes none unless it was resumed before.
	await setImmediate();
	process.stdin.resume().pause();
	await setImmediate();
	// A shell, since editors are set with arguments: EDITOR="code --wait".
	const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
	const [code] = await once(child, "exit");
	if (code !== 0) throw new Error(`"${editor}" ended with ${code ?? "a signal"}; set $EDITOR to the editor you want`);
}
