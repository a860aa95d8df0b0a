/**
 * program.md, the human's file: read, versioned by content, watched. A version is the start of the SHA-256 of its text.
 * While the file is unreadable, deleted or empty, its last good version stays in use.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type FSWatcher, watch } from "chokidar";
import { hasCode, messageOf, UserError } from "../errors.ts";

export interface ProgramText {
	version: string;
	text: string;
}

export interface ProgramListener {
	changed(program: ProgramText): void;
	/** The file cannot be used, for this reason. Called once for each reason. */
	unusable(reason: string): void;
	/** The file can be read again, with the text it had. */
	usable(): void;
}

export function versionOf(text: string): string {
	return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** program.md as it is now. Throws UserError when it is missing, empty or unreadable. */
export function readProgram(path: string): ProgramText {
	const text = readText(path);
	if (typeof text === "string") return { version: versionOf(text), text };
	throw new UserError(`${path} ${text.trouble}: write what the researcher should try, in plain words, and start again`);
}

/** A file that was written this recently may still be being written. */
const SETTLED_MS = 100;

export class Program {
	readonly path: string;
	/** The folder that keeps each version's text, as <version>.md. */
	readonly #archive: string;
	#current: ProgramText;
	#trouble = "";
	#watcher?: FSWatcher;
	#listener?: ProgramListener;

	/**
	 * @param lastVersion the version in use when the run stopped; it stays in use if the file has gone meanwhile
	 * @throws UserError when the file cannot be used and there is no such version
	 */
	constructor(path: string, archive: string, lastVersion?: string) {
		this.path = path;
		this.#archive = archive;
		const kept = lastVersion ? this.read(lastVersion) : undefined;
		if (lastVersion && kept !== undefined && typeof readText(path) !== "string") {
			this.#current = { version: lastVersion, text: kept };
		} else this.#current = this.#keep(readProgram(path).text);
	}

	get current(): ProgramText {
		return this.#current;
	}

	/** The text of any version that this run has used. */
	read(version: string): string | undefined {
		const path = join(this.#archive, `${version}.md`);
		return existsSync(path) ? readFileSync(path, "utf8") : undefined;
	}

	/**
	 * Tells `listener` of every change from here on, however an editor saves: in place, by renaming another file over
	 * it, by deleting and creating it. Resolves once the file is watched.
	 */
	async watch(listener: ProgramListener): Promise<void> {
		this.#listener = listener;
		const reread = () => this.#reread();
		// The folder is watched, not the file: a file that is deleted or renamed over takes its watch with it.
		const name = basename(this.path);
		this.#watcher = watch(dirname(this.path), {
			ignoreInitial: true,
			depth: 0,
			atomic: true,
			awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: 20 },
			ignored: (path) => path !== dirname(this.path) && basename(path) !== name,
		});
		this.#watcher.on("all", reread);
		this.#watcher.on("error", (error) => listener.unusable(`cannot be watched (${messageOf(error)})`));
		await new Promise<void>((ready) => this.#watcher!.once("ready", ready));
		reread();
	}

	/** Reads the file once it has not changed for a moment, so that a brief has the newest text. */
	async refresh(): Promise<void> {
		for (let i = 0; i < 10 && ageMs(this.path) < SETTLED_MS; i++) await setTimeout(SETTLED_MS / 2);
		this.#reread();
	}

	async close(): Promise<void> {
		await this.#watcher?.close();
	}

	#reread(): void {
		const text = readText(this.path);
		if (typeof text !== "string") {
			if (this.#trouble !== text.trouble) this.#listener?.unusable(text.trouble);
			this.#trouble = text.trouble;
			return;
		}
		const troubled = this.#trouble !== "";
		this.#trouble = "";
		if (versionOf(text) === this.#current.version) {
			if (troubled) this.#listener?.usable();
			return;
		}
		this.#current = this.#keep(text);
		this.#listener?.changed(this.#current);
	}

	#keep(text: string): ProgramText {
		const version = versionOf(text);
		mkdirSync(this.#archive, { recursive: true });
		const path = join(this.#archive, `${version}.md`);
		if (!existsSync(path)) writeFileSync(path, text);
		return { version, text };
	}
}

function ageMs(path: string): number {
	const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
	return modified === undefined ? Number.POSITIVE_INFINITY : Math.abs(Date.now() - modified);
}

function readText(path: string): string | { trouble: string } {
	try {
		const text = readFileSync(path, "utf8");
		return text.trim() ? text : { trouble: "is empty" };
	} catch (error) {
		return { trouble: hasCode(error, "ENOENT") ? "is not there" : `cannot be read (${messageOf(error)})` };
	}
}
