/** Briefs and listeners for tests of researchers. */
import type { Brief, Evidence, ProposeOptions } from "../../src/researcher/researcher.ts";
import { record } from "./search/simulated-run.ts";

export const TEXT = `// A tiny model.
const MATRIX_LR = 0.02; // 0.001..0.1
const DEPTH = 4; // 1..12

export function train() {
	return MATRIX_LR * DEPTH;
}
`;

export function briefOf(fields: Partial<Brief> = {}): Brief {
	return {
		n: 4,
		program: { version: "p1", text: "# Program\n\nLower val_bpb.\n" },
		files: [{ path: "train.ts", text: TEXT }],
		metric: { name: "val_bpb", direction: "lower" },
		budgetSeconds: 300,
		history: [
			record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 1.9, title: "baseline" }),
			record({
				n: 2,
				parent: "c0",
				commit: "c2",
				status: "discard",
				value: 1.95,
				title: "Raise DEPTH from 4 to 6",
				hypothesis: "Deeper composes more.",
				changes: [{ name: "DEPTH", from: "4", to: "6" }],
			}),
			record({
				n: 3,
				parent: "c0",
				commit: "c3",
				status: "crash",
				title: "Remove train",
				reason: "train is not exported",
			}),
		],
		best: 1,
		seed: 1,
		...fields,
	};
}

export interface Heard {
	drafts: Parameters<ProposeOptions["onDraft"]>[0][];
	waits: { reason: string; until?: number }[];
	notices: string[];
	usage: Parameters<NonNullable<ProposeOptions["onUsage"]>>[0][];
}

export function listen(fields: Partial<ProposeOptions> = {}): { heard: Heard; options: ProposeOptions } {
	const heard: Heard = { drafts: [], waits: [], notices: [], usage: [] };
	const options: ProposeOptions = {
		signal: new AbortController().signal,
		onDraft: (draft) => heard.drafts.push(draft),
		onWait: (reason, until) => heard.waits.push({ reason, until }),
		onNotice: (_, text) => heard.notices.push(text),
		onUsage: (usage) => heard.usage.push(usage),
		...fields,
	};
	return { heard, options };
}

export function evidenceOf(fields: Partial<Evidence> = {}): Evidence {
	return {
		diff: async () => "",
		log: async () => "",
		list: async () => ["train.ts", "prepare/metric.ts"],
		read: async (path) => {
			throw new Error(`${path} is not a file of the lab`);
		},
		...fields,
	};
}
