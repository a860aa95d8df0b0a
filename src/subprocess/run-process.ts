/**
 * Runs one program in a process group of its own, until it ends, its time is up or it is aborted. What it prints goes
 * to a log file, to listeners line by line, and in part into the result. The whole group is gone when the promise
 * settles.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { printable } from "../text.ts";
import { endWithLeader, signalGroup } from "./group.ts";
import { identityOf } from "./identity.ts";
import { LineSplitter } from "./lines.ts";
import { LimitedLog } from "./log.ts";

export interface ProcessRequest {
	command: readonly string[];
	cwd: string;
	/** The whole environment of the child: nothing is inherited. */
	env: NodeJS.ProcessEnv;
	/**
	 * Written to its standard input, which is then closed. Without it standard input stays open as long as this process
	 * lives.
	 */
	input?: string;
	/** Where both streams are kept, up to a limit. */
	logPath?: string;
	/** Names the group leader while it runs, so that a later start can end a program that outlived a killed console. */
	pidPath?: string;
	timeoutSeconds?: number;
	signal: AbortSignal;
	/** A line of either stream, made printable; a carriage return ends a line too. */
	onLine?(line: string): void;
	/** A piece of text as it was printed. */
	onText?(text: string, stream: "stdout" | "stderr"): void;
}

export interface ProcessResult {
	code: number | null;
	signal: NodeJS.Signals | null;
	timedOut: boolean;
	/** The request's signal was aborted before the program ended. */
	aborted: boolean;
	/** Why it could not be started, if it could not. */
	spawnError?: NodeJS.ErrnoException;
	seconds: number;
	/** The last lines of both streams, made printable. */
	tail: string[];
}

const TAIL_LINES = 60;
/** Between asking a group to end and ending it. */
const GRACE_MS = 3000;
/** A timer of Node that is set for longer ends at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Rejects when the log or the pid file cannot be written; the program does not run then. */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
	const started = performance.now();
	const log = request.logPath === undefined ? undefined : new LimitedLog(request.logPath);
	const [program, ...args] = request.command;
	const child = spawn(program!, args, { cwd: request.cwd, env: request.env, detached: true, stdio: "pipe" });
	const ended = settled(child);
	try {
		if (request.pidPath && child.pid) writeFileSync(request.pidPath, identityOf(child.pid));
	} catch (error) {
		// A program that no later start could find must not run on.
		signalGroup(child.pid, "SIGKILL");
		await ended;
		log?.close();
		throw error;
	}
	const tail: string[] = [];
	for (const stream of ["stdout", "stderr"] as const) listen(child, stream, request, log, tail);
	// A program that does not read its input has not failed. Without streams it could not be started at all.
	child.stdin?.on("error", () => {});
	if (request.input !== undefined) child.stdin?.end(request.input);

	let timedOut = false;
	let killTimer: NodeJS.Timeout | undefined;
	const end = () => {
		signalGroup(child.pid, "SIGTERM");
		killTimer ??= setTimeout(() => signalGroup(child.pid, "SIGKILL"), GRACE_MS);
	};
	const { timeoutSeconds = Number.POSITIVE_INFINITY } = request;
	const timer = setTimeout(
		() => {
			timedOut = true;
			end();
		},
		Math.min(timeoutSeconds * 1000, LONGEST_TIMER_MS),
	);
	// A program that has ended was in time, however long its pipes stay open.
	child.once("exit", () => clearTimeout(timer));
	request.signal.addEventListener("abort", end, { once: true });
	if (request.signal.aborted) end();

	const outcome = await ended;
	clearTimeout(timer);
	clearTimeout(killTimer);
	request.signal.removeEventListener("abort", end);
	log?.close();
	return {
		...outcome,
		timedOut,
		aborted: request.signal.aborted && !timedOut,
		seconds: Math.round(performance.now() - started) / 1000,
		tail,
	};
}

function listen(
	child: ChildProcess,
	name: "stdout" | "stderr",
	{ onLine, onText }: ProcessRequest,
	log: LimitedLog | undefined,
	tail: string[],
): void {
	const lines = new LineSplitter((line) => {
		const text = printable(line).trimEnd();
		if (!text) return;
		tail.push(text);
		if (tail.length > TAIL_LINES) tail.shift();
		onLine?.(text);
	});
	const stream = child[name];
	// It keeps a character whole that two chunks share.
	const decoder = new StringDecoder("utf8");
	stream?.on("data", (chunk: Buffer) => {
		log?.write(chunk);
		const text = decoder.write(chunk);
		onText?.(text, name);
		lines.push(text);
	});
	stream?.on("close", () => lines.end());
}

function settled(child: ChildProcess): Promise<Pick<ProcessResult, "code" | "signal" | "spawnError">> {
	endWithLeader(child);
	return new Promise((resolve) => {
		child.once("error", (spawnError) => resolve({ code: null, signal: null, spawnError }));
		child.once("close", (code, signal) => resolve({ code, signal }));
	});
}
