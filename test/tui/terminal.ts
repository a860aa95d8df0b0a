/** A real program in a real pseudo-terminal, with a terminal emulator (xterm) that keeps its screen. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type IPty, spawn } from "@lydell/node-pty";
import xterm, { type Terminal as Xterm } from "@xterm/headless";

export interface TerminalOptions {
	columns: number;
	rows: number;
	env?: Record<string, string | undefined>;
	cwd?: string;
}

/** The environment of a user at a terminal, whatever environment the tests run in. */
const PERSON = {
	CI: undefined,
	NO_COLOR: undefined,
	FORCE_COLOR: undefined,
	LANG: "C.UTF-8",
	LC_ALL: "C.UTF-8",
	TZ: "UTC",
};

const POLL_MS = 20;
const PATIENCE_MS = 60_000;

export class Terminal {
	readonly xterm: Xterm;
	/** Settles with the exit code when the program has ended and the screen holds all that it wrote. */
	readonly exited: Promise<number>;
	/** Everything the program wrote. */
	output = "";
	readonly #pty: IPty;

	constructor(
		command: readonly [string, ...string[]],
		{ columns, rows, env = {}, cwd = process.cwd() }: TerminalOptions,
	) {
		const [file, ...args] = command;
		this.xterm = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
		this.#pty = spawn(file, args, {
			cols: columns,
			rows,
			cwd,
			name: "xterm-256color",
			env: Object.fromEntries(
				Object.entries({ ...process.env, ...PERSON, ...env }).filter(([, value]) => value !== undefined),
			),
		});
		this.#pty.onData((data) => {
			this.output += data;
			this.xterm.write(data);
		});
		this.exited = new Promise((resolve) => {
			this.#pty.onExit(({ exitCode }) => this.xterm.write("", () => resolve(exitCode)));
		});
	}

	get pid(): number {
		return this.#pty.pid;
	}

	send(keys: string): void {
		this.#pty.write(keys);
	}

	resize(columns: number, rows: number): void {
		this.#pty.resize(columns, rows);
		this.xterm.resize(columns, rows);
	}

	kill(signal: NodeJS.Signals): void {
		this.#pty.kill(signal);
	}

	/** The screen as text, without blanks at the ends of lines. */
	screen(): string {
		const { active } = this.xterm.buffer;
		const lines = Array.from(
			{ length: this.xterm.rows },
			(_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? "",
		);
		return `${lines.join("\n")}\n`;
	}

	/** Waits until the screen shows something and returns the screen; fails with the screen after a minute. */
	async shows(what: string | RegExp): Promise<string> {
		const isShown = (screen: string) => (typeof what === "string" ? screen.includes(what) : what.test(screen));
		return this.until(isShown, `the screen to show ${what}`);
	}

	/** Waits until the screen fulfils a condition; fails with the screen after `patienceMs`. */
	async until(condition: (screen: string) => boolean, name: string, patienceMs = PATIENCE_MS): Promise<string> {
		for (const end = performance.now() + patienceMs; performance.now() < end; await setTimeout(POLL_MS)) {
			if (condition(this.screen())) return this.screen();
		}
		throw new Error(`waited too long for ${name}; the screen is\n${this.screen()}`);
	}
}

/** The console on a scripted run (demo.ts) in a terminal, ended with the test. */
export function startDemo(t: TestContext, args: readonly string[], options: TerminalOptions): Terminal {
	const script = join(import.meta.dirname, "demo.ts");
	return startInTerminal(t, [process.execPath, script, ...args], options);
}

/** A program in a terminal, ended with the test. */
export function startInTerminal(
	t: TestContext,
	command: readonly [string, ...string[]],
	options: TerminalOptions,
): Terminal {
	const terminal = new Terminal(command, options);
	t.after(async () => {
		terminal.kill("SIGKILL");
		await terminal.exited;
	});
	return terminal;
}
