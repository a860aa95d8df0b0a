/** Runs an agent program until it ends, and ends its whole process group with it. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { identityOf } from "../../subprocess/identity.ts";
import { endWithLeader, GRACE_MS, printable, signalGroup } from "../../subprocess/process.ts";
import { ResearcherError } from "../researcher.ts";

export interface AgentRun {
	command: string[];
	cwd: string;
	/** A file that identifies the process while it runs, so that a later start can end it if the console was killed. */
	pidPath: string;
	env: NodeJS.ProcessEnv;
	/** Written to its standard input, which is then closed. */
	input: string;
	timeoutSeconds: number;
	signal: AbortSignal;
	/** A line of its standard output or error, without control characters. */
	onLine(line: string): void;
}

export interface AgentResult {
	code: number | null;
	timedOut: boolean;
	/** The end of its standard output. */
	output: string;
	/** The end of its standard error. */
	errors: string;
}

const OUTPUT_LIMIT = 200_000;
const LINE_LIMIT = 2000;

/**
 * Rejects with the signal's reason when it is aborted, and with a ResearcherError when the program cannot be started.
 */
export async function runAgent(run: AgentRun): Promise<AgentResult> {
	run.signal.throwIfAborted();
	const [program, ...args] = run.command;
	const child = spawn(program!, args, { cwd: run.cwd, env: run.env, detached: true, stdio: "pipe" });
	if (child.pid) writeFileSync(run.pidPath, identityOf(child.pid));
	const result: AgentResult = { code: null, timedOut: false, output: "", errors: "" };
	let grace: NodeJS.Timeout | undefined;
	const end = () => {
		signalGroup(child.pid, "SIGTERM");
		grace ??= setTimeout(() => signalGroup(child.pid, "SIGKILL"), GRACE_MS);
	};
	const timer = setTimeout(() => {
		result.timedOut = true;
		end();
	}, run.timeoutSeconds * 1000);
	run.signal.addEventListener("abort", end, { once: true });

	endWithLeader(child);
	const closed = new Promise<void>((resolve, reject) => {
		child.once("error", (error: NodeJS.ErrnoException) => {
			const why = error.code === "ENOENT" ? "it is not installed or not on the PATH" : error.message;
			reject(new ResearcherError(`${program} could not be started: ${why}.`));
		});
		child.once("exit", (code) => {
			result.code = code;
			clearTimeout(timer); // the time limit is not for pipes that stay open
		});
		child.once("close", () => resolve());
	});
	collect(child.stdout, run.onLine, (text) => {
		result.output = (result.output + text).slice(-OUTPUT_LIMIT);
	});
	collect(child.stderr, run.onLine, (text) => {
		result.errors = (result.errors + text).slice(-OUTPUT_LIMIT);
	});
	// An agent may end without reading its input.
	child.stdin.on("error", () => {});
	child.stdin.end(run.input);
	try {
		await closed;
	} finally {
		clearTimeout(timer);
		clearTimeout(grace);
		run.signal.removeEventListener("abort", end);
	}
	run.signal.throwIfAborted();
	return result;
}

function collect(stream: NodeJS.ReadableStream, onLine: (line: string) => void, add: (text: string) => void): void {
	let rest = "";
	stream.setEncoding("utf8");
	stream.on("data", (text: string) => {
		add(text);
		const lines = (rest + text).split(/\r\n|\r|\n/);
		rest = lines.pop()!.slice(-LINE_LIMIT);
		for (const line of lines) onLine(printable(line.slice(0, LINE_LIMIT)));
	});
}
