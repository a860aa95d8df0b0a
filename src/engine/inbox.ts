/** Notes from other processes: `autoresearch steer` leaves a file in results/<tag>/inbox, the engine takes it in. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watch } from "chokidar";

/** Leaves a note in the inbox of a run; it is heard at once, or when the run is next started. */
export function leaveNote(inbox: string, text: string): void {
	mkdirSync(inbox, { recursive: true });
	const name = `${Date.now()}-${process.pid}`;
	writeFileSync(join(inbox, `.${name}`), text);
	renameSync(join(inbox, `.${name}`), join(inbox, `${name}.txt`));
}

/** Calls back with each note, those left before included, oldest first. Returns the way to stop. */
export function watchInbox(inbox: string, onNote: (text: string) => Promise<unknown>): () => Promise<void> {
	mkdirSync(inbox, { recursive: true });
	let last = Promise.resolve();
	const take = () => {
		last = last.then(async () => {
			for (const name of readdirSync(inbox)
				.filter((name) => name.endsWith(".txt"))
				.sort()) {
				await onNote(readFileSync(join(inbox, name), "utf8"));
				rmSync(join(inbox, name));
			}
		});
	};
	const watcher = watch(inbox, { depth: 0 }).on("add", take);
	return async () => {
		await watcher.close();
		await last;
	};
}
