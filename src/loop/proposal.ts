/** Asks a researcher for a proposal, shows it as it takes shape, and takes nothing from it but the files it may edit. */
import { join } from "node:path";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { openCheckout } from "../git/checkout.ts";
import type { Brief, Crash, Proposal, ProposeOptions, SourceFile } from "../researcher/researcher.ts";
import { oneLine } from "../text.ts";
import type { Planned } from "./brief.ts";
import { evidenceOf } from "./evidence.ts";
import type { LiveDraft } from "./live-draft.ts";
import type { RunContext } from "./run-context.ts";

const TITLE_LIMIT = 120;

/**
 * Throws when the researcher does, when `signal` is aborted, when a limit of the run is reached before it is written, and when
 * the proposal is not one the lab allows.
 */
export async function askForProposal(
	run: RunContext,
	planned: Planned,
	signal: AbortSignal,
	draft: LiveDraft,
): Promise<Proposal> {
	const { researcher } = run;
	const options = optionsFor(run, planned, signal, draft);
	const proposal = await answer(researcher.propose(planned.brief, options), signal, options);
	return checked(proposal, planned.brief, researcher.name);
}

/** A second chance for a proposal that crashed; undefined when its author gives up, or does not repair. */
export async function askForRepair(
	run: RunContext,
	planned: Planned,
	crash: Crash,
	signal: AbortSignal,
	draft: LiveDraft,
): Promise<Proposal | undefined> {
	const { researcher } = run;
	const options = optionsFor(run, planned, signal, draft);
	const repaired = await answer(researcher.repair?.(planned.brief, crash, options), signal, options);
	return repaired && checked(repaired, planned.brief, researcher.name);
}

/** What a researcher answers. A request that was ended on demand rejects with the demand, whatever the researcher makes of it. */
async function answer<T>(asked: T | Promise<T>, wanted: AbortSignal, { signal }: ProposeOptions): Promise<T> {
	try {
		const answered = await asked;
		wanted.throwIfAborted();
		return answered;
	} catch (error) {
		signal.throwIfAborted();
		throw error;
	}
}

function optionsFor(run: RunContext, { brief, basis }: Planned, wanted: AbortSignal, draft: LiveDraft): ProposeOptions {
	const { store, repository, dir, spending } = run;
	const { n, files } = brief;
	const signal = AbortSignal.any([wanted, spending.signal]);
	signal.throwIfAborted();
	return {
		signal,
		onDraft({ title, hypothesis, files: drafted, text }) {
			if (signal.aborted) return;
			const diff = drafted && drafted.length > 0 ? diffOf(files, drafted) : undefined;
			draft.drafts({ title, hypothesis, text, diff });
		},
		onWait(note, until) {
			if (!signal.aborted) draft.waits(note, until);
		},
		onNotice: (level, text) => void store.emit({ type: "notice", level, text }),
		onUsage: (usage) => void spending.add(n, usage),
		evidence: evidenceOf(run, basis),
		checkout: () => openCheckout(repository, basis, join(dir.agents, `${n}-${Date.now().toString(36)}`)),
	};
}

function checked(proposal: Proposal, { files }: Brief, name: string): Proposal {
	const before = new Map(files.map(({ path, text }) => [path, text]));
	for (const { path } of proposal.files) {
		if (!before.has(path)) throw new Error(`${name} edited ${path}; it may edit only ${[...before.keys()].join(", ")}`);
	}
	const changed = proposal.files.filter(({ path, text }) => before.get(path) !== text);
	if (changed.length === 0) throw new Error(`${name} proposed no change`);
	const title = oneLine(proposal.title).slice(0, TITLE_LIMIT) || "untitled";
	return { ...proposal, files: changed, title, hypothesis: oneLine(proposal.hypothesis) };
}

function diffOf(files: SourceFile[], drafted: SourceFile[]): string {
	return drafted
		.map(({ path, text }) => {
			const before = files.find((file) => file.path === path)?.text ?? "";
			return createTwoFilesPatch(`a/${path}`, `b/${path}`, before, text, "", "", {
				context: 3,
				headerOptions: FILE_HEADERS_ONLY,
			});
		})
		.join("");
}
