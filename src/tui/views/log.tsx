/** The output of an experiment's trainer, followed while it runs. */
import { useMemo, useState } from "react";
import type { Files } from "../../engine/engine.ts";
import { useAction } from "../actions.ts";
import type { Size } from "../layout.ts";
import type { Line } from "../line.ts";
import { Pager } from "../pager.tsx";
import { useLog } from "../use-read.ts";

export interface LogViewProps {
	files: Files;
	/** The latest experiment. */
	n: number;
	live: boolean;
	size: Size;
	framed: boolean;
}

export function LogView({ files, n, live, size, framed }: LogViewProps) {
	/** The experiment whose log the user has scrolled: it stays on the screen when the next one begins. */
	const [read, setRead] = useState<number>();
	const shown = read ?? n;
	const isLatest = shown === n;
	const log = useLog(files, shown, live);
	const lines = useMemo(() => logLines(log), [log]);
	useAction((action) => {
		if (action !== "follow" || isLatest) return false;
		setRead(undefined);
		return true;
	});
	const title: Line = [
		["log", "strong"],
		`  experiment ${shown}`,
		[isLatest ? "" : `  f: follow experiment ${n}`, "quiet"],
	];
	return (
		<Pager
			key={shown}
			title={title}
			lines={lines}
			size={size}
			framed={framed}
			follow={isLatest}
			onFollow={(following) => setRead(following ? undefined : shown)}
		/>
	);
}

export function logLines({ value, problem }: ReturnType<typeof useLog>): Line[] {
	if (problem) return [[[problem, "warn"]]];
	if (!value) return [[["reading", "quiet"]]];
	return value.length > 0 ? value.map((text) => [text]) : [[["The trainer has printed nothing yet.", "quiet"]]];
}
