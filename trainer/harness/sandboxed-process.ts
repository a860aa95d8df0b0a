/** The process train.ts runs in, as the harness handles it: spawning behind a fence, parsing messages, ending. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, realpathSync, writeSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { lastError, oneLine } from "../tensor/text.ts";
import { environment, permissions } from "./fence.ts";
import { memoryOf, offerToKernel } from "./memory.ts";
import { BATCHES_FD, MESSAGES_FD, type Message } from "./protocol.ts";

export interface SandboxOptions {
	/** The training file. */
	file: string;
	/** Where the checkpoint goes: the only place it may write to. */
	model: string;
	/** What it prints goes here. */
	log: string;
	/** Passed on as its command line. */
	args: Record<string, string | number | undefined>;
	/** Called for each message. One that cannot be parsed arrives as a crash. */
	onMessage(message: Message): void;
}

/** How the process ended. */
export interface Exit {
	code: number | null;
	signal: NodeJS.Signals | null;
}

/** What runs in the process: TypeScript in development, compiled when shipped. */
const MAIN = join(import.meta.dirname, "../sandbox", `main${extname(import.meta.filename)}`);
const LONGEST_MESSAGE = 65_536;
/** Bytes of output kept, so that endless printing cannot fill the disk. */
const LOG_LIMIT = 4_000_000;
const TAIL_LENGTH = 8_192;

export class SandboxedProcess {
	readonly ended: Promise<Exit>;
	peakMb = 0;
	residentMb = 0;
	readonly #child: ChildProcess;
	#outputTail = "";

	constructor({ file: path, model, log, args, onMessage }: SandboxOptions) {
		// Node resolves links in the paths of modules; the fence must allow the resolved path.
		const file = realpathSync(path);
		const flags = Object.entries(args).flatMap(([name, value]) =>
			value === undefined ? [] : [`--${name}`, `${value}`],
		);
		const command = [...permissions(file, model), MAIN, "--file", file, "--model", model, ...flags];
		const child = spawn(process.execPath, command, {
			cwd: dirname(file),
			env: environment(process.env),
			stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
		});
		this.#child = child;
		if (child.pid) offerToKernel(child.pid);
		this.#keepOutput(log, child.stdout!, child.stderr!);
		// The exit code says why the process ended; a broken pipe adds nothing.
		this.#batches.on("error", () => {});
		readMessages(child.stdio[MESSAGES_FD] as Readable, onMessage);
		this.ended = new Promise((resolve) => {
			child.once("error", (error) => {
				this.#outputTail = error.message;
				resolve({ code: null, signal: null });
			});
			child.once("close", (code, signal) => resolve({ code, signal }));
		});
	}

	get #batches(): Writable {
		return this.#child.stdio[BATCHES_FD] as Writable;
	}

	send(frame: Buffer): void {
		this.#batches.write(frame);
	}

	/** Ends it at once, without running its exit handlers. */
	kill(): void {
		this.#child.kill("SIGKILL");
	}

	/** Brings `residentMb` and `peakMb` up to date. */
	measureMemory(): void {
		const memory = this.#child.pid ? memoryOf(this.#child.pid) : undefined;
		this.residentMb = memory?.residentMb ?? 0;
		this.peakMb = Math.max(this.peakMb, memory?.peakMb ?? 0);
	}

	/** Why it ended although the harness did not end it, in a sentence. */
	exitReason({ code, signal }: Exit): string {
		const error = lastError(this.#outputTail);
		const outOfMemory = /out of memory/i.test(this.#outputTail);
		if (outOfMemory && signal) return `out of memory: ${error}`;
		if (signal === "SIGKILL")
			return `killed by the system, most likely because memory ran out: it used ${Math.round(this.peakMb)} MB`;
		if (signal) return `the process died of ${signal}${error ? `: ${error}` : ""}`;
		if (code === null) return `the process could not be started: ${error}`;
		return `the process ended itself with exit code ${code} before training was finished${error ? `: ${error}` : ""}`;
	}

	#keepOutput(path: string, ...streams: Readable[]): void {
		const fd = openSync(path, "w");
		let written = 0;
		for (const stream of streams)
			stream.on("data", (chunk: Buffer) => {
				this.#outputTail = (this.#outputTail + chunk.toString("utf8")).slice(-TAIL_LENGTH);
				if (written > LOG_LIMIT) return;
				written += chunk.length;
				const text = written > LOG_LIMIT ? "\n[the rest of what the run printed is not kept]\n" : chunk;
				try {
					writeSync(fd, typeof text === "string" ? Buffer.from(text) : text);
				} catch {
					// A full disk loses the log but does not end the run.
				}
			});
		this.#child.once("close", () => closeSync(fd));
	}
}

function readMessages(stream: Readable, onMessage: (message: Message) => void): void {
	const decoder = new StringDecoder("utf8");
	let rest = "";
	stream.on("data", (chunk: Buffer) => {
		const lines = (rest + decoder.write(chunk)).split("\n");
		rest = lines.pop()!;
		for (const line of lines) onMessage(parseMessage(line));
		if (rest.length > LONGEST_MESSAGE) {
			rest = "";
			onMessage(garbled);
		}
	});
	stream.on("error", () => {});
}

const garbled: Message = { type: "crash", reason: "train.ts wrote to the harness's own pipe" };

/** train.ts shares a process with sandbox/main.ts and may write anything to its pipe: every field is checked. */
function parseMessage(line: string): Message {
	try {
		const message: Message = JSON.parse(line);
		switch (message.type) {
			case "ready": {
				const { rows, length, parameters } = message;
				return [rows, length, parameters].every(Number.isInteger)
					? { type: "ready", rows, length, parameters }
					: garbled;
			}
			case "step": {
				const { loss, lrMultiplier } = message;
				return typeof loss === "string" && Number.isFinite(lrMultiplier) ? message : garbled;
			}
			case "crash":
				return { type: "crash", reason: oneLine(String(message.reason)) };
			case "saved":
				return { type: "saved", peakMb: Number(message.peakMb) || 0 };
			case "next":
			case "trained":
				return { type: message.type };
			default:
				return garbled;
		}
	} catch {
		return garbled;
	}
}
