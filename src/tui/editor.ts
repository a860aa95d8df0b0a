/** The human's editor, on the human's file. */
import { spawn } from "node:child_process";

/** Runs $VISUAL or $EDITOR (which may have arguments) on a file; settles when it is closed. */
export function openEditor(path: string, env: Record<string, string | undefined>): Promise<void> {
	const editor = env.VISUAL || env.EDITOR || "vi";
	// Ink lets go of the keyboard, but Node goes on reading it and would take every other key from the editor. A stream that
	// is paused already takes no pause: it must be resumed first.
	process.stdin.resume().pause();
	return new Promise((resolve, reject) => {
		// A shell, since editors are set with arguments: EDITOR="code --wait".
		const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
		child.once("error", reject);
		child.once("exit", (code) => {
			if (code === 0) resolve();
			else reject(new Error(`"${editor}" ended with ${code ?? "a signal"}; set $EDITOR to the editor you want`));
		});
	});
}
