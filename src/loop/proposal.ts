/**
 * Asks a researcher for a proposal, shows it as it takes shape, and takes nothing from it but the files it may edit.
 */
import { join } from "node:path";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { messageOf } from "../errors.ts";
import { openCheckout } from "../git/checkout.ts";
import { checkProposal } from "../researcher/check-proposal.ts";
import type { Brief, CrashReport, Proposal, ProposeOptions, SourceFile } from "../researcher/researcher.ts";
import type { Planned } from "./brief.ts";
import { evidenceOf } from "./evidence.ts";
import type { LiveDraft } from "./live-draft.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Throws when the researcher does, when `signal` is aborted, when a limit of the run is reached before it is written,
 * and when the proposal is not one the lab allows.
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
	crash: CrashReport,
	signal: AbortSignal,
	draft: LiveDraft,
): Promise<Proposal | undefined> {
	const { researcher } = run;
	const options = optionsFor(run, planned, signal, draft);
	const repaired = await answer(researcher.repair?.(planned.brief, crash, options), signal, options);
	return repaired && checked(repaired, planned.brief, researcher.name);
}

/**
 * What a researcher answers. A request that was ended on demand rejects with the demand, whatever the researcher makes
 * of it.
 */
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
	try {
		return checkProposal(proposal, files);
	} catch (error) {
		throw new Error(`${name} made no proposal: ${messageOf(error)}`);
	}
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
