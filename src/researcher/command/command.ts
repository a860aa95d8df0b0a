/**
 * The researcher that is a coding-agent program (Claude Code, Codex, any other), run in a checkout of the lab with the
 * brief on its standard input or in a file. Its edits of the editable files are the proposal; all others are dropped.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import which from "which";
import type { CommandConfig } from "../../lab/researcher-config.ts";
import { oneLine } from "../../text.ts";
import { clean } from "../brief/quote.ts";
import { joinBrief, renderBrief, renderRepair } from "../brief/render.ts";
import { submit } from "../check-proposal.ts";
import { changedConstants } from "../constant-changes.ts";
import { EditBuffer } from "../edit-buffer.ts";
import {
	type Brief,
	type CrashReport,
	MAX_REPAIRS,
	type Proposal,
	type ProposeOptions,
	Rejection,
	type Researcher,
	ResearcherError,
	type SourceFile,
} from "../researcher.ts";
import { agentEnvironment } from "./agent-environment.ts";
import { runAgent } from "./run-agent.ts";

/** Lines of the agent's output that are shown while it works. */
const SHOWN_LINES = 12;
/** Dropped edits that a notice names. */
const NAMED = 5;
/** What an error quotes of the agent's output, in characters. */
const QUOTED = 300;

/**
 * @param name what experiments record: `command`, or a preset's name
 * @param env the environment of the agent, which needs the human's own settings and credentials
 * @param model the model that the command names, where that is known
 */
export function createCommand(name: string, config: CommandConfig, env: NodeJS.ProcessEnv, model?: string): Researcher {
	return {
		name,
		...(model && { model }),
		plansItself: false,
		isInstant: false,

		async check() {
			const [program] = config.command;
			if (!(await which(program!, { path: env.PATH ?? "", nothrow: true }))) {
				throw new ResearcherError(
					`${program} is not installed or not on the PATH; install it, or name another researcher.`,
				);
			}
		},

		async propose(brief, options) {
			const text = joinBrief(await renderBrief(brief, "agent", options.evidence));
			const proposal = await work(name, config, env, brief, text, [], options);
			if (typeof proposal === "string") throw new Error(`${name} made no proposal: ${proposal}`);
			return proposal;
		},

		async repair(brief, crash: CrashReport, options) {
			if (crash.attempt > MAX_REPAIRS) return undefined;
			const text = joinBrief(await renderRepair(brief, crash, MAX_REPAIRS, "agent", options.evidence));
			const proposal = await work(name, config, env, brief, text, crash.proposal.files, options);
			if (typeof proposal !== "string") return proposal;
			options.onNotice("info", `experiment ${crash.n} is not repaired: ${proposal}`);
			return undefined;
		},

		show: async (brief, evidence) => joinBrief(await renderBrief(brief, "agent", evidence)),
	};
}

/** The proposal, or why there is none. */
async function work(
	name: string,
	config: CommandConfig,
	env: NodeJS.ProcessEnv,
	brief: Brief,
	text: string,
	start: readonly SourceFile[],
	options: ProposeOptions,
): Promise<Proposal | string> {
	const { signal, onDraft, onNotice, evidence } = options;
	if (!options.checkout)
		throw new ResearcherError(`${name} needs a checkout to work in, which this lab does not offer.`);
	await using checkout = await options.checkout();
	for (const file of start) await writeFile(join(checkout.dir, file.path), file.text);
	const scratch = await mkdtemp(join(tmpdir(), "autoresearch-brief-"));
	try {
		const briefFile = join(scratch, "brief.md");
		await writeFile(briefFile, text);
		const paths = brief.files.map(({ path }) => path);
		const command = config.command.flatMap((argument) =>
			argument === "{files}" ? paths : [argument.replaceAll("{brief-file}", briefFile)],
		);
		const takesFile = config.command.some((argument) => argument.includes("{brief-file}"));
		const shown: string[] = [];
		const result = await runAgent({
			command,
			cwd: checkout.dir,
			pidPath: checkout.pidPath,
			env: { ...agentEnvironment(env, checkout.dir), ...config.env },
			input: takesFile ? "" : text,
			timeoutSeconds: config.timeoutSeconds,
			signal,
			onLine(line) {
				shown.push(line);
				if (shown.length > SHOWN_LINES) shown.shift();
				onDraft({ text: shown.join("\n") });
			},
		});
		if (result.timedOut) return `it was ended after ${config.timeoutSeconds} s`;
		if (result.code !== 0) {
			const last = lastLine(result.errors || result.output);
			return `it ended ${result.code === null ? "by a signal" : `with code ${result.code}`}${last && `: ${last}`}`;
		}
		const dropped = (await checkout.changed()).filter((path) => !paths.includes(path));
		if (dropped.length > 0)
			onNotice("warn", `${name} also edited ${enumerate(dropped)}; only ${paths.join(", ")} may be edited`);
		const buffer = new EditBuffer(brief, start);
		for (const path of paths) {
			// A deleted file counts as unchanged: without it there is nothing to train.
			const edited = await readFile(join(checkout.dir, path), "utf8").catch(() => undefined);
			if (edited !== undefined) buffer.replace(path, edited);
		}
		if (!buffer.isEdited) {
			const last = lastLine(result.output || result.errors);
			return `it ended without editing ${paths.join(" or ")}${last && `; its last line: ${last}`}`;
		}
		onDraft({ files: buffer.files });
		return await submit(brief, buffer, signature(clean(result.output), buffer), evidence);
	} catch (error) {
		if (error instanceof Rejection) return error.message;
		throw error;
	} finally {
		await rm(scratch, { recursive: true, force: true });
	}
}

/** The last TITLE and HYPOTHESIS lines of the agent's answer; without them, a title that the edit allows. */
function signature(output: string, { files, base }: EditBuffer): { title: string; hypothesis: string } {
	const last = (label: string) =>
		[...output.matchAll(new RegExp(`^[\\s*_#>\`-]*${label}[*_\`]*:[*_]*\\s*(.+)$`, "gim"))].at(-1)?.[1]?.trim();
	const changes = files.flatMap(({ path, text }) => changedConstants(path, base.get(path)!, text));
	const named = changes.map((change) => `${change.name} from ${change.from} to ${change.to}`).join(", ");
	const fallback = named ? `Change ${named}` : `Edit ${files.map(({ path }) => path).join(", ")}`;
	return { title: last("TITLE") ?? fallback, hypothesis: last("HYPOTHESIS") ?? "The agent gave no reason." };
}

function lastLine(output: string): string {
	return oneLine(clean(output).trim().split("\n").at(-1)!, QUOTED);
}

function enumerate(paths: string[]): string {
	const more = paths.length - NAMED;
	return paths.slice(0, NAMED).join(", ") + (more > 0 ? ` and ${more} more files` : "");
}
