/** Asks a researcher for a proposal, shows it as it takes shape, and takes nothing from it but the files it may edit. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import type { ProgramVersion } from "../program/program.ts";
import type { Proposal, Researcher, SourceFile } from "../researcher/researcher.ts";
import type { Store } from "./store.ts";

/** Path to text. */
export type Files = Map<string, string>;

export interface ProposalRequest {
	store: Store;
	researcher: Researcher;
	n: number;
	program: ProgramVersion;
	/** The editable files as they are on the best commit. */
	files: Files;
	signal: AbortSignal;
}

const TITLE_LIMIT = 120;

/** Throws when the researcher does, when `signal` is aborted, and when the proposal is not one the lab allows. */
export async function requestProposal(request: ProposalRequest): Promise<Proposal> {
	const { store, researcher, n, program, files, signal } = request;
	const { metric, budgetSeconds, experiments, best, seed } = store.state;
	const brief = {
		n,
		program,
		files: [...files].map(([path, text]) => ({ path, text })),
		metric,
		budgetSeconds,
		history: experiments.filter(({ status }) => status),
		best,
		seed,
	};
	const proposal = await researcher.propose(brief, {
		signal,
		onDraft: ({ title, hypothesis, files: drafted, text }) =>
			store.tick({ type: "tick.draft", n, title, hypothesis, text, diff: drafted && diffOf(files, drafted) }),
		onWait: (note, until) => store.tick({ type: "tick.phase", phase: "waiting", n, note, until }),
		onNotice: (level, text) => void store.emit({ type: "notice", level, text }),
	});
	signal.throwIfAborted();
	for (const { path } of proposal.files) {
		if (!files.has(path))
			throw new Error(
				`the researcher ${researcher.name} edited ${path}; it may edit only ${[...files.keys()].join(", ")}`,
			);
	}
	const changed = proposal.files.filter(({ path, text }) => files.get(path) !== text);
	if (changed.length === 0) throw new Error(`the researcher ${researcher.name} proposed no change`);
	return {
		...proposal,
		files: changed,
		title: oneLine(proposal.title).slice(0, TITLE_LIMIT) || "untitled",
		hypothesis: oneLine(proposal.hypothesis),
	};
}

function diffOf(files: Files, drafted: SourceFile[]): string {
	return drafted
		.map(({ path, text }) =>
			createTwoFilesPatch(`a/${path}`, `b/${path}`, files.get(path) ?? "", text, "", "", {
				context: 3,
				headerOptions: FILE_HEADERS_ONLY,
			}),
		)
		.join("");
}

function oneLine(text: string): string {
	return text.replace(/[\s\x00-\x1f\x7f]+/g, " ").trim();
}
