/** Runs an agent program to its end, its whole process group with it. */
import { runProcess } from "../../subprocess/run-process.ts";
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

/**
 * Rejects with the signal's reason when it is aborted, and with a ResearcherError when the program cannot be started.
 */
export async function runAgent(run: AgentRun): Promise<AgentResult> {
	run.signal.throwIfAborted();
	const printed = { stdout: "", stderr: "" };
	const { code, timedOut, spawnError } = await runProcess({
		...run,
		onText(text, stream) {
			printed[stream] = (printed[stream] + text).slice(-OUTPUT_LIMIT);
		},
	});
	if (spawnError) {
		const why = spawnError.code === "ENOENT" ? "it is not installed or not on the PATH" : spawnError.message;
		throw new ResearcherError(`${run.command[0]} could not be started: ${why}.`);
	}
	run.signal.throwIfAborted();
	return { code, timedOut, output: printed.stdout, errors: printed.stderr };
}
