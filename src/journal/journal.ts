/**
 * The journal: results/<tag>/journal.jsonl, append-only, one event a line. It is the truth of a run; state, results.tsv
 * and the branch are derived from it.
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import type { EventType, JournalEvent, NewEvent } from "./events.ts";

/** Events that decide something or move the branch: on the disk before the loop acts on them. */
const DECISIVE = new Set<EventType>([
	"run.started",
	"experiment.started",
	"experiment.committed",
	"experiment.measured",
	"experiment.decided",
	"experiment.reverted",
	"experiment.adopted",
]);

export interface JournalContent {
	events: JournalEvent[];
	/** Bytes of a last line that was being written when the process died; 0 when the file ends well. */
	torn: number;
	/** Length of the sound part. */
	length: number;
}

/**
 * Reads a journal; a missing file is an empty one. Throws UserError on a line that is not an event, unless it is a torn
 * last one.
 */
export function readJournal(path: string): JournalContent {
	if (!existsSync(path)) return { events: [], torn: 0, length: 0 };
	const bytes = readFileSync(path);
	const length = bytes.lastIndexOf(0x0a) + 1;
	const lines = bytes.subarray(0, length).toString("utf8").split("\n").slice(0, -1);
	const events = lines.map((line, i) => parseLine(line, i + 1, path));
	return { events, torn: bytes.length - length, length };
}

function parseLine(line: string, number: number, path: string): JournalEvent {
	let event: JournalEvent | undefined;
	try {
		event = JSON.parse(line);
	} catch {}
	if (event?.v !== 1 || event.seq !== number || typeof event.type !== "string") {
		throw new UserError(
			`${path}:${number} is not event ${number} of a journal; restore the file, or start another run with --tag NAME`,
		);
	}
	return event;
}

export class Journal {
	readonly #fd: number;
	#length: number;
	#seq: number;

	/** Opens the journal for appending after its sound part; what `content` calls torn is cut off. */
	constructor(path: string, content: JournalContent) {
		mkdirSync(dirname(path), { recursive: true });
		this.#fd = openSync(path, existsSync(path) ? "r+" : "w+");
		ftruncateSync(this.#fd, content.length);
		this.#length = content.length;
		this.#seq = content.events.length;
	}

	/** Appends one event, whole or not at all, and returns it with its number and time. Throws when the disk does. */
	append(event: NewEvent): JournalEvent {
		const numbered = { v: 1, seq: this.#seq + 1, at: new Date().toISOString(), ...event } as JournalEvent;
		const bytes = Buffer.from(`${JSON.stringify(numbered)}\n`);
		try {
			for (let written = 0; written < bytes.length; ) {
				written += writeSync(this.#fd, bytes, written, bytes.length - written, this.#length + written);
			}
			if (DECISIVE.has(event.type)) fsyncSync(this.#fd);
		} catch (error) {
			ftruncateSync(this.#fd, this.#length);
			throw error;
		}
		this.#length += bytes.length;
		this.#seq++;
		return numbered;
	}

	close(): void {
		closeSync(this.#fd);
	}
}
