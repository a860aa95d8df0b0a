/** Asks a researcher for a proposal, shows it as it takes shape, and takes nothing from it but the files it may edit. */
import { join } from "node:path";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { openCheckout } from "../git/checkout.ts";
import type { Lab } from "../lab/lab.ts";
import type { Brief, Crash, Proposal, ProposeOptions, Researcher, SourceFile } from "../researcher/researcher.ts";
import { evidenceOf, type Planned } from "./brief.ts";
import type { Places } from "./consequences.ts";
import type { Spending } from "./spending.ts";

export interface Asking extends Places {
	lab: Lab;
	researcher: Researcher;
	spending: Spending;
}

const TITLE_LIMIT = 120;

/** Throws when the researcher does, when `signal` is aborted, and when the proposal is not one the lab allows. */
export async function askForProposal(
	asking: Asking,
	planned: Planned,
	signal: AbortSignal,
	ahead: boolean,
): Promise<Proposal> {
	const { researcher } = asking;
	const proposal = await researcher.propose(planned.brief, optionsFor(asking, planned, signal, ahead));
	signal.throwIfAborted();
	return checked(proposal, planned.brief, researcher.name);
}

/** A second chance for a proposal that crashed; undefined when its author gives up, or does not repair. */
export async function askForRepair(
	asking: Asking,
	planned: Planned,
	crash: Crash,
	signal: AbortSignal,
): Promise<Proposal | undefined> {
	const { researcher } = asking;
	const repaired = await researcher.repair?.(planned.brief, crash, optionsFor(asking, planned, signal, false));
	signal.throwIfAborted();
	return repaired && checked(repaired, planned.brief, researcher.name);
}

function optionsFor(asking: Asking, { brief, basis }: Planned, signal: AbortSignal, ahead: boolean): ProposeOptions {
	const { store, repository, dir, spending } = asking;
	const { n, files } = brief;
	return {
		signal,
		onDraft({ title, hypothesis, files: drafted, text }) {
			if (signal.aborted) return;
			const diff = drafted && drafted.length > 0 ? diffOf(files, drafted) : undefined;
			store.tick({ type: "tick.draft", n, title, hypothesis, text, diff, ahead });
		},
		onWait(note, until) {
			// What is drafted ahead waits in the background; the training goes on.
			if (!ahead && !signal.aborted) store.tick({ type: "tick.phase", phase: "waiting", n, note, until });
		},
		onNotice: (level, text) => void store.emit({ type: "notice", level, text }),
		onUsage: (usage) => spending.add(n, usage),
		evidence: evidenceOf(asking, basis),
		checkout: () => openCheckout(repository, basis, join(dir, "agents", `${n}-${Date.now().toString(36)}`)),
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

function oneLine(text: string): string {
	return text.replace(/[\s\x00-\x1f\x7f]+/g, " ").trim();
}
