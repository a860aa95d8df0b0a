/** The whole screen: draws the state of the engine and of the screen, and passes keys to the controller. */
import { Box, useApp, useInput, useIsScreenReaderEnabled, usePaste, useStdout, useWindowSize } from "ink";
import { useEffect, useLayoutEffect, useSyncExternalStore } from "react";
import type { Engine } from "../engine/engine.ts";
import type { State } from "../journal/state.ts";
import { type ActionHandlers, ActionHandlersProvider } from "./actions.ts";
import type { Controller } from "./controller.ts";
import { Dialog } from "./dialog.tsx";
import { Footer } from "./footer.tsx";
import { Header } from "./header.tsx";
import { type Layout, layout, SMALLEST } from "./layout.ts";
import { PromptLine } from "./prompt-line.tsx";
import { shownProposal } from "./proposal.tsx";
import { Rows } from "./row.tsx";
import { awaitsApproval } from "./selectors.ts";
import { NoticeLine, ProgramLine } from "./status-lines.tsx";
import { type Theme, ThemeProvider } from "./theme.ts";
import { freshMessage, type Ui } from "./ui.ts";
import { useEngine } from "./use-engine.ts";
import { useRead } from "./use-read.ts";
import { ExperimentView } from "./views/experiment.tsx";
import { HelpView } from "./views/help.tsx";
import { LogView } from "./views/log.tsx";
import { NoticesView } from "./views/notices.tsx";
import { Overview } from "./views/overview.tsx";
import { ProgramView } from "./views/program.tsx";

export interface AppProps {
	engine: Engine;
	controller: Controller;
	handlers: ActionHandlers;
	theme: Theme;
	/** Called once the screen is up, with what can be done to the terminal. */
	onTerminal(terminal: ScreenTerminal): void;
}

export interface ScreenTerminal {
	/** Lets another program use the terminal while `use` runs. */
	suspend(use: () => Promise<void>): Promise<void>;
	/** Draws everything again, after another program has written over it. */
	redraw(): void;
}

const ERASE_AND_HOME = "\u001b[2J\u001b[H";

export function App({ engine, controller, handlers, theme, onTerminal }: AppProps) {
	const snapshot = useEngine(engine);
	const ui = useSyncExternalStore(controller.ui.subscribe, controller.ui.get);
	const { columns, rows } = useWindowSize();
	const { suspendTerminal } = useApp();
	const { stdout, write } = useStdout();
	useEffect(() => {
		// Ink draws its whole frame again after every write.
		onTerminal({ suspend: suspendTerminal, redraw: () => write(ERASE_AND_HOME) });
	}, [onTerminal, suspendTerminal, write]);
	// Rows left on the alternate screen would reappear in a tmux window that has grown since the start (tmux 3.3).
	useLayoutEffect(() => () => void stdout.write(ERASE_AND_HOME), [stdout]);
	useInput((input, key) => controller.input(input, key));
	usePaste((text) => controller.paste(text));

	const { now } = snapshot;
	const size = { width: columns, height: rows, stacked: useIsScreenReaderEnabled() };
	const screen = layout(size, awaitsApproval(snapshot.state));
	const state = ui.failure === undefined ? snapshot.state : { ...snapshot.state, stopped: ui.failure };
	if (screen.tooSmall) return <TooSmall layout={screen} />;
	const dialog = ui.confirmation && <Dialog confirmation={ui.confirmation} screen={screen} />;
	// A dialog over the body adds rows to what a screen reader reads, so there it takes the body's place.
	const body = (size.stacked && dialog) || <Body {...{ engine, controller, state, now, ui, layout: screen }} />;
	return (
		<ThemeProvider value={theme}>
			<ActionHandlersProvider value={handlers}>
				<Box flexDirection="column" width={columns} height={rows}>
					<Header state={state} now={now} width={columns} />
					<Box flexDirection="column" height={screen.body.height}>
						{body}
					</Box>
					<ProgramLine state={state} now={now} width={columns} />
					<NoticeLine state={state} message={freshMessage(ui, now)} width={columns} />
					{ui.prompt ? (
						<PromptLine prompt={ui.prompt} cells={columns} />
					) : (
						<Footer context={controller.keyContext()} width={columns} />
					)}
					{!size.stacked && dialog}
				</Box>
			</ActionHandlersProvider>
		</ThemeProvider>
	);
}

interface BodyProps {
	engine: Engine;
	controller: Controller;
	state: State;
	now: number;
	ui: Ui;
	layout: Layout;
}

function Body({ engine, controller, state, now, ui, layout }: BodyProps) {
	const { body: size, framed } = layout;
	const files = engine.read;
	const proposal = shownProposal(state);
	const lost = proposal && !proposal.open && !proposal.diff;
	const { value: diff } = useRead(lost ? `${proposal.n}` : undefined, () => files.diff(proposal!.n));
	switch (ui.view) {
		case "overview":
			return <Overview {...{ state, now, ui, layout, diff }} rows={controller.rows()} />;
		case "experiment": {
			const n = Math.min(ui.selected ?? 1, state.experiments.length);
			return <ExperimentView key={n} {...{ state, files, n, size, framed }} />;
		}
		case "log": {
			const n = Math.max(1, state.live.n);
			const live = state.stopped === undefined;
			return <LogView {...{ files, n, live, size, framed }} />;
		}
		case "program":
			return <ProgramView {...{ state, files, size, framed }} />;
		case "notices":
			return <NoticesView {...{ state, size, framed }} />;
		case "help":
			return <HelpView {...{ size, framed }} />;
	}
}

function TooSmall({ layout: { width, height } }: { layout: Layout }) {
	const lines = [
		["The terminal is too small:"],
		[`${width}x${height}, needs ${SMALLEST.width}x${SMALLEST.height}.`],
		["The run continues."],
	];
	return (
		<Box flexDirection="column" height={height} overflow="hidden">
			<Rows lines={lines.slice(0, height)} cells={width} height={Math.min(height, lines.length)} />
		</Box>
	);
}
