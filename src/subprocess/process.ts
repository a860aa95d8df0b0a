/**
 * Runs one program in a process group of its own, its output going to a log file and, line by line, to a listener.
 * Whatever happens, the whole group is gone when the promise settles.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { identityOf, isAlive } from "./identity.ts";

export interface ProcessRequest {
	command: string[];
	cwd: string;
	/** The whole environment of the child: nothing is inherited. */
	env: NodeJS.ProcessEnv;
	logPath: string;
	/** Names the group leader while it runs, so that a later start can end a trainer that outlived a killed console. */
	pidPath?: string;
	/** From its start, or from when it is told to begin. */
	timeoutSeconds: number;
	signal: AbortSignal;
	/** For a program that is started early and waits for a line on its stdin: it is written when this resolves. */
	begin?: Promise<void>;
	/** A line of either stream, as it comes; a carriage return ends a line too. */
	onLine?(line: string): void;
}

export interface ProcessResult {
	code: number | null;
	signal: NodeJS.Signals | null;
	timedOut: boolean;
	/** The request's signal was aborted before the program ended. */
	aborted: boolean;
	/** What could not be started, if it could not. */
	spawnError?: Error;
	seconds: number;
	/** The last lines of both streams, control characters taken out. */
	tail: string[];
}

/** A trainer that prints without end must not fill the disk. */
const LOG_LIMIT_BYTES = 16 * 1024 * 1024;
const TAIL_LINES = 60;
const LINE_LIMIT = 4096;
/** Between asking a group to end and ending it. */
export const GRACE_MS = 3000;
/** How long the pipes of a program that has ended may stay open. */
const PIPES_MS = 500;

export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
	let started = performance.now();
	const tail: string[] = [];
	const log = new LimitedLog(request.logPath);
	const child = spawn(request.command[0]!, request.command.slice(1), {
		cwd: request.cwd,
		env: request.env,
		detached: true,
		// The child's stdin stays open as long as we live: its end tells a trainer that the console has died.
		stdio: ["pipe", "pipe", "pipe"],
	});
	child.stdin!.on("error", () => {});

	const listen = (stream: NodeJS.ReadableStream) => {
		const lines = new LineSplitter((line) => {
			tail.push(line);
			if (tail.length > TAIL_LINES) tail.shift();
			request.onLine?.(line);
		});
		stream.on("data", (chunk: Buffer) => {
			log.write(chunk);
			lines.push(chunk.toString("utf8"));
		});
		stream.on("close", () => lines.end());
	};
	listen(child.stdout!);
	listen(child.stderr!);

	let timedOut = false;
	let killTimer: NodeJS.Timeout | undefined;
	const end = () => {
		signalGroup(child.pid, "SIGTERM");
		killTimer ??= setTimeout(() => signalGroup(child.pid, "SIGKILL"), GRACE_MS);
	};
	let timer: NodeJS.Timeout | undefined;
	const begun = () => {
		if (child.exitCode !== null || child.signalCode !== null) return;
		if (request.pidPath && child.pid) writeFileSync(request.pidPath, identityOf(child.pid));
		started = performance.now();
		timer = setTimeout(
			() => {
				timedOut = true;
				end();
			},
			Math.min(request.timeoutSeconds * 1000, 2 ** 31 - 1),
		);
	};
	if (request.begin)
		void request.begin.then(() => {
			begun();
			child.stdin!.write("\n");
		});
	else begun();
	child.once("exit", () => clearTimeout(timer)); // it was in time, however long its pipes stay open
	request.signal.addEventListener("abort", end, { once: true });
	if (request.signal.aborted) end();

	const outcome = await settled(child);
	clearTimeout(timer);
	clearTimeout(killTimer);
	request.signal.removeEventListener("abort", end);
	log.close();
	return {
		...outcome,
		timedOut,
		aborted: request.signal.aborted && !timedOut,
		seconds: Math.round(performance.now() - started) / 1000,
		tail,
	};
}

function settled(child: ChildProcess): Promise<Pick<ProcessResult, "code" | "signal" | "spawnError">> {
	endWithLeader(child);
	return new Promise((resolve) => {
		child.once("error", (spawnError) => resolve({ code: null, signal: null, spawnError }));
		child.once("close", (code, signal) => resolve({ code, signal }));
	});
}

/**
 * Ends a child's group when its leader has ended, and its pipes a moment later, so that `close` follows `exit` soon:
 * what has left the group may hold them open for ever.
 */
export function endWithLeader(child: ChildProcess): void {
	child.once("exit", () => {
		signalGroup(child.pid, "SIGKILL");
		const timer = setTimeout(() => {
			child.stdout?.destroy();
			child.stderr?.destroy();
		}, PIPES_MS);
		child.once("close", () => clearTimeout(timer));
	});
}

export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
	if (!pid) return;
	try {
		process.kill(-pid, signal);
	} catch {
		// The group is gone already.
	}
}

/** Ends the process group a pid file names, if it still runs. Returns whether there was one. */
export function endLeftover(pidPath: string): boolean {
	if (!existsSync(pidPath)) return false;
	const identity = readFileSync(pidPath, "utf8");
	if (!isAlive(identity)) return false;
	signalGroup(Number.parseInt(identity, 10), "SIGKILL");
	return true;
}

class LimitedLog {
	readonly #fd: number;
	#written = 0;

	constructor(path: string) {
		this.#fd = openSync(path, "w");
	}

	write(chunk: Buffer): void {
		if (this.#written > LOG_LIMIT_BYTES) return;
		this.#written += chunk.length;
		try {
			writeSync(
				this.#fd,
				this.#written > LOG_LIMIT_BYTES ? Buffer.from("\n[the log ends here: 16 MB are enough]\n") : chunk,
			);
		} catch {
			// A full disk costs the log, not the run.
		}
	}

	close(): void {
		closeSync(this.#fd);
	}
}

class LineSplitter {
	#rest = "";
	readonly #emit: (line: string) => void;

	constructor(emit: (line: string) => void) {
		this.#emit = emit;
	}

	push(text: string): void {
		const parts = (this.#rest + text).split(/\r\n|\r|\n/);
		this.#rest = parts.pop()!.slice(-LINE_LIMIT);
		for (const part of parts) this.#line(part);
		// A progress line ends in four spaces, not in a line end: that comes only with the next one.
		if (this.#rest.endsWith("    ")) this.end();
	}

	end(): void {
		this.#line(this.#rest);
		this.#rest = "";
	}

	#line(text: string): void {
		const clean = printable(text.slice(0, LINE_LIMIT)).trimEnd();
		if (clean) this.#emit(clean);
	}
}

/** Text without escape sequences and control characters: what a training run prints must not drive a terminal. */
export function printable(text: string): string {
	return text
		.replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])/g, "")
		.replace(/\t/g, "  ")
		.replace(/[\x00-\x1f\x7f-\x9f]/g, "");
}
