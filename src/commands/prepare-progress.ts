/** Shows the preparation of data on stderr: a bar that rewrites itself on a terminal, a line a stage elsewhere. */
import type { ReadyProgress } from "../engine/warm-up.ts";

const BAR = 24;

export interface ProgressDisplay {
	show(progress: ReadyProgress): void;
	/** Ends the line of a bar. */
	end(): void;
}

export function prepareDisplay(stream: NodeJS.WriteStream = process.stderr): ProgressDisplay {
	let stage = "";
	let drawnAt = 0;
	const finishLine = () => {
		if (stage && stream.isTTY) stream.write("\n");
	};
	return {
		show(progress) {
			const isNew = progress.stage !== stage;
			if (!stream.isTTY) {
				if (isNew) stream.write(`preparing: ${progress.stage}${progress.note ? ` (${progress.note})` : ""}\n`);
				stage = progress.stage;
				return;
			}
			const done = progress.done >= progress.total;
			if (!isNew && !done && Date.now() - drawnAt < 50) return;
			if (isNew) finishLine();
			stage = progress.stage;
			drawnAt = Date.now();
			const share = progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
			const filled = Math.round(share * BAR);
			const bar = "#".repeat(filled) + "-".repeat(BAR - filled);
			const percent = String(Math.floor(share * 100)).padStart(3);
			const text = `preparing ${stage.padEnd(10)} [${bar}] ${percent}%  ${progress.note ?? ""}`;
			stream.write(`\r${text.slice(0, (stream.columns || 80) - 1)}\x1b[K`);
		},
		end() {
			finishLine();
			stage = "";
		},
	};
}
