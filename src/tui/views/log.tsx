/** What the trainer of an experiment printed, followed while it runs. */
import type { Files } from "../../engine/engine.ts";
import type { Size } from "../layout.ts";
import type { Line } from "../line.tsx";
import { Pager } from "../pager.tsx";
import { useLog } from "../use-read.ts";

export interface LogViewProps {
	files: Files;
	n: number;
	live: boolean;
	size: Size;
	framed: boolean;
}

export function LogView({ files, n, live, size, framed }: LogViewProps) {
	const log = useLog(files, n, live);
	const title: Line = [["log", "strong"], `  experiment ${n}`];
	return <Pager key={n} title={title} lines={logLines(log)} size={size} framed={framed} follow />;
}

export function logLines({ value, problem }: ReturnType<typeof useLog>): Line[] {
	if (problem) return [[[problem, "warn"]]];
	if (!value) return [[["reading", "quiet"]]];
	return value.length > 0 ? value.map((text) => [text]) : [[["The trainer has printed nothing yet.", "quiet"]]];
}
