/** Reads what a run keeps in files, for the console: diffs, logs, versions of program.md. */
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Repository } from "../git/repository.ts";
import { readJournal } from "../journal/journal.ts";
import type { RunDir } from "../journal/run-dir.ts";
import type { State } from "../journal/state.ts";
import type { Program } from "../program/program.ts";
import type { Files, LogChunk, ProgramVersion } from "./engine.ts";

export class RunFiles implements Files {
	readonly #dir: RunDir;
	readonly #repository: Repository;
	readonly #program: Program;
	readonly #state: () => State;

	constructor(dir: RunDir, repository: Repository, program: Program, state: () => State) {
		this.#dir = dir;
		this.#repository = repository;
		this.#program = program;
		this.#state = state;
	}

	async diff(n: number): Promise<string> {
		const experiment = this.#state().experiments[n - 1];
		if (!experiment) throw new Error(`there is no experiment ${n}`);
		const { commit, parent } = experiment;
		return commit && commit !== parent ? this.#repository.diff(parent, commit) : "";
	}

	async log(n: number, from: number, limit: number): Promise<LogChunk> {
		const path = this.#dir.experiment(n).log;
		if (!existsSync(path)) return { text: "", from: 0, to: 0, size: 0 };
		const file = await open(path, "r");
		try {
			const { size } = await file.stat();
			const start = Math.min(from < 0 ? Math.max(0, size + from) : from, size);
			const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(limit, size - start)), 0, undefined, start);
			const [first, end] = cutAtLines(buffer.subarray(0, bytesRead), start > 0 && from < 0, start + bytesRead < size);
			return { text: buffer.toString("utf8", first, end), from: start + first, to: start + end, size };
		} finally {
			await file.close();
		}
	}

	async programs(): Promise<ProgramVersion[]> {
		const { events } = readJournal(this.#dir.journal);
		const versions = new Map<string, string>();
		for (const event of events) {
			if (event.type === "program.changed" && !versions.has(event.version)) versions.set(event.version, event.at);
		}
		return [...versions].flatMap(([version, at]) => {
			const text = this.#program.read(version);
			return text === undefined ? [] : [{ version, at, text }];
		});
	}
}

/** Where whole lines begin and end in `bytes`; all of it where it holds no line end. */
function cutAtLines(bytes: Buffer, dropFirst: boolean, dropLast: boolean): [number, number] {
	const first = dropFirst ? bytes.indexOf(0x0a) + 1 : 0;
	const end = dropLast ? bytes.lastIndexOf(0x0a) + 1 : bytes.length;
	return end > first ? [first, end] : [0, bytes.length];
}
