/** The tools of the language model, which can do nothing else: read the lab, edit the buffer, end the conversation. */
import { z } from "zod";
import { describeExperiment, gains } from "../brief/digest.ts";
import { bounded, quote } from "../brief/quote.ts";
import { section } from "../brief/templates.ts";
import type { EditBuffer } from "../edit-buffer.ts";
import { type Brief, type Evidence, Rejection } from "../researcher.ts";
import type { ToolDefinition } from "./client.ts";

const READ_LIMIT = 40_000;
const DIFF_LIMIT = 20_000;
const LOG_LIMIT = 4000;
const LISTED = 60;

export interface Workbench {
	brief: Brief;
	buffer: EditBuffer;
	evidence?: Evidence;
	/** True while a crash is being repaired. */
	repairing: boolean;
}

/** The end of a conversation. */
export type Ending =
	| { type: "submit"; title: string; hypothesis: string; expectedGain: number }
	| { type: "give-up"; reason: string };

interface Tool<Input> {
	name: string;
	schema: z.ZodType<Input>;
	/** The result for the model, or the end of the conversation. Throws a Rejection for a call that cannot be run. */
	run(input: Input, workbench: Workbench): Promise<string | Ending>;
}

function tool<Input>(name: string, schema: z.ZodType<Input>, run: Tool<Input>["run"]): Tool<unknown> {
	return { name, schema, run: (input, workbench) => run(input as Input, workbench) };
}

export const editSchema = z.object({
	path: z.string().optional().describe("The file; may be left out when only one may be edited."),
	old: z.string().describe("The text to replace, copied exactly."),
	new: z.string().describe("The text to put in its place."),
});

const TOOLS: Tool<unknown>[] = [
	tool(
		"read_file",
		z.object({
			path: z.string().optional().describe("Relative to the lab's root. Leave out to list the files."),
			from: z.int().min(1).optional().describe("The first line to show."),
			to: z.int().min(1).optional().describe("The last line to show."),
		}),
		readFile,
	),
	tool("edit_file", editSchema, async ({ path, old, new: replacement }, { buffer }) => {
		buffer.edit(path, old, replacement);
		return "Done.";
	}),
	tool(
		"list_experiments",
		z.object({
			status: z.enum(["keep", "discard", "crash"]).optional(),
			contains: z.string().optional().describe("Words of the title, in any case."),
			before: z.int().optional().describe("Only experiments with a smaller number."),
		}),
		listExperiments,
	),
	tool("open_experiment", z.object({ n: z.int().min(1) }), openExperiment),
	tool(
		"submit",
		z.object({ title: z.string().min(1), hypothesis: z.string().min(1), expected_gain: z.number() }),
		async ({ title, hypothesis, expected_gain }) => ({
			type: "submit",
			title,
			hypothesis,
			expectedGain: expected_gain,
		}),
	),
	tool("give_up", z.object({ reason: z.string().min(1) }), async ({ reason }, { repairing }) => {
		if (!repairing) throw new Rejection(section("answers", "nothing to give up"));
		return { type: "give-up", reason };
	}),
];

/** The tools as the Messages API takes them. */
export function toolDefinitions(): ToolDefinition[] {
	return TOOLS.map(({ name, schema }) => {
		const { $schema: _, ...inputSchema } = z.toJSONSchema(schema);
		return {
			name,
			description: section("tool-descriptions", name),
			input_schema: inputSchema as ToolDefinition["input_schema"],
		};
	});
}

/** Runs one call. Throws a Rejection that tells the model what was wrong with the call. */
export async function runTool(name: string, input: unknown, workbench: Workbench): Promise<string | Ending> {
	const found = TOOLS.find((candidate) => candidate.name === name);
	if (!found) throw new Rejection(`There is no tool ${name}. There are: ${TOOLS.map((t) => t.name).join(", ")}.`);
	const parsed = found.schema.safeParse(input);
	if (!parsed.success) {
		const issue = parsed.error.issues[0]!;
		throw new Rejection(`${name}: ${[...issue.path, issue.message].join(": ")}.`);
	}
	return await found.run(parsed.data, workbench);
}

async function readFile(
	{ path, from = 1, to }: { path?: string; from?: number; to?: number },
	{ buffer, evidence }: Workbench,
): Promise<string> {
	if (path === undefined) {
		const paths = (await evidence?.list()) ?? [];
		return quote("files of the lab", paths.join("\n"), READ_LIMIT);
	}
	const edited = buffer.read(path);
	let text = edited;
	if (text === undefined) {
		if (!evidence) throw new Rejection(`${path} cannot be read here.`);
		text = await evidence.read(path).catch((error: Error) => {
			throw new Rejection(`${path} cannot be read: ${error.message}`);
		});
	}
	const lines = text.split("\n");
	const shown = lines.slice(from - 1, to).join("\n");
	// The editable file is shown verbatim, so that it can be copied from; what other files hold is data.
	if (edited !== undefined) return bounded(shown, READ_LIMIT, "start");
	return quote(`${path}, lines ${from} to ${Math.min(to ?? lines.length, lines.length)}`, shown, READ_LIMIT);
}

async function listExperiments(
	{ status, contains = "", before = Number.POSITIVE_INFINITY }: { status?: string; contains?: string; before?: number },
	{ brief }: Workbench,
): Promise<string> {
	const gainOf = gains(brief);
	const words = contains.toLowerCase();
	const found = brief.history.filter(
		(e) => (!status || e.status === status) && e.title.toLowerCase().includes(words) && e.n < before,
	);
	const lines = found
		.slice(-LISTED)
		.toReversed()
		.map((e) => describeExperiment(e, gainOf(e)));
	const more = found.length > LISTED ? `\n${found.length - LISTED} older ones: ask with \`before\`.` : "";
	return `${found.length} experiments.${more}\n${quote("experiments", lines.join("\n"), READ_LIMIT)}`;
}

async function openExperiment({ n }: { n: number }, { brief, evidence }: Workbench): Promise<string> {
	const experiment = brief.history.find((e) => e.n === n);
	if (!experiment)
		throw new Rejection(`There is no decided experiment ${n}; the last one is ${brief.history.at(-1)?.n ?? 0}.`);
	const { status, reason = "", value, memoryGb, summary, seconds, hypothesis, title } = experiment;
	const gain = gains(brief)(experiment);
	const facts = {
		n,
		status,
		reason,
		title,
		hypothesis,
		[brief.metric.name]: value,
		gain,
		memoryGb,
		...summary,
		seconds,
	};
	const diff = (await evidence?.diff(n).catch(() => "")) ?? "";
	const log = (await evidence?.log(n).catch(() => "")) ?? "";
	return [
		quote(`experiment ${n}`, JSON.stringify(facts, undefined, 1), READ_LIMIT),
		diff && quote(`diff of experiment ${n}`, diff, DIFF_LIMIT),
		log && quote(`end of the log of experiment ${n}`, log, LOG_LIMIT, "end"),
	]
		.filter(Boolean)
		.join("\n\n");
}
