/**
 * The console: takes the terminal, shows the engine, and restores the terminal, however it ends. NODE_ENV=production
 * must be set before this file is imported: React's development build leaks memory with every frame.
 */
import { constants } from "node:os";
import { basename } from "node:path";
import { setFlagsFromString } from "node:v8";
import { render } from "ink";
import type { Engine } from "../engine/engine.ts";
import { ActionHandlers } from "./actions.ts";
import { App, type ScreenTerminal } from "./app.tsx";
import { clipboardSequence } from "./clipboard.ts";
import { Controller } from "./controller.ts";
import { openEditor } from "./editor.ts";
import { themeFor } from "./theme.ts";

export interface TuiOptions {
	/** Plain ASCII without colours. */
	plain?: boolean;
	/** Rejects when the engine cannot be opened; the console then leaves and rejects with the same error. */
	opened?: Promise<unknown>;
}

/** Frames a second at most: how soon a key is answered. Progress is drawn less often (use-engine.ts). */
const MAX_FPS = 30;
const EXIT_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * Shows the engine until the user leaves or a signal arrives, then restores the terminal. The engine is ended only when
 * the user chose so. Rejects with the error when the screen itself failed.
 */
export async function runTui(engine: Engine, { plain, opened }: TuiOptions = {}): Promise<void> {
	const { stdout } = process;
	const isScreenReaderEnabled = process.env.INK_SCREEN_READER === "true";
	let terminal: ScreenTerminal | undefined;
	let isEditing = false;
	const handlers = new ActionHandlers();
	const controller = new Controller(engine, handlers, {
		leave: () => screen.unmount(),
		now: () => Date.now(),
		size: () => ({ width: stdout.columns, height: stdout.rows, stacked: isScreenReaderEnabled }),
		redraw: () => terminal?.redraw(),
		copy: (text) => void stdout.write(clipboardSequence(text)),
		edit: async (path) => {
			isEditing = true;
			try {
				await terminal?.suspend(() => openEditor(path, process.env));
			} finally {
				isEditing = false;
			}
			return `back from ${basename(path)}; what was saved steers the next proposal`;
		},
	});

	// Ink allocates a megabyte of short-lived objects a frame. With room for a few frames V8 frees them in the young
	// generation; otherwise they fill the old one, which it rarely collects, and the process grows for the first minutes.
	setFlagsFromString("--min-semi-space-size=16");
	// Keys typed while the program starts must not be echoed over the first frame, and must not be lost.
	process.stdin.setRawMode?.(true);
	const screen = render(
		<App
			{...{ engine, controller, handlers }}
			theme={themeFor(process.env, plain)}
			onTerminal={(its) => {
				terminal = its;
			}}
		/>,
		{
			alternateScreen: true,
			incrementalRendering: true,
			// With CI=true Ink would draw nothing, even on a terminal.
			interactive: stdout.isTTY,
			isScreenReaderEnabled,
			maxFps: MAX_FPS,
			exitOnCtrlC: false,
		},
	);
	const leave = () => screen.unmount();
	let failure: { error: unknown } | undefined;
	const fail = (error: unknown) => {
		failure ??= { error };
		leave();
	};
	opened?.catch(fail);
	const restore = [
		...EXIT_SIGNALS.map((signal) =>
			onEvent(process, signal, () => {
				// Ctrl-C in an editor reaches this process too.
				if (isEditing && signal === "SIGINT") return;
				process.exitCode = 128 + constants.signals[signal];
				leave();
			}),
		),
		onEvent(process, "uncaughtException", fail),
		onEvent(process, "unhandledRejection", fail),
		// A terminal that is gone (EIO, EPIPE) ends the screen, not the process.
		onEvent(stdout, "error", leave),
		onEvent(process.stdin, "error", leave),
	];
	try {
		await screen.waitUntilExit();
	} finally {
		process.stdin.setRawMode?.(false);
		for (const off of restore) off();
	}
	if (failure) throw failure.error;
}

function onEvent(emitter: NodeJS.EventEmitter, name: string, listener: (...args: unknown[]) => void): () => void {
	emitter.on(name, listener);
	return () => emitter.off(name, listener);
}
