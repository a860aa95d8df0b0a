/** Asks a researcher for a proposal, shows it as it takes shape, and takes nothing from it but the files it may edit. */
import { join } from "node:path";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { messageOf } from "../errors.ts";
import { openCheckout } from "../git/checkout.ts";
import type { Tick } from "../journal/events.ts";
import type { Store } from "../journal/store.ts";
import type { Lab } from "../lab/lab.ts";
import { checkProposal } from "../researcher/check-proposal.ts";
import type { Brief, Crash, Proposal, ProposeOptions, Researcher, SourceFile } from "../researcher/researcher.ts";
import { evidenceOf, type Planned } from "./brief.ts";
import { agentsPath, type Places } from "./reconcile.ts";
import type { Spending } from "./spending.ts";

export interface Asking extends Places {
	lab: Lab;
	researcher: Researcher;
	spending: Spending;
}

/** A proposal that is being written, as the screen has it. In the background until the loop attends to it. */
export class Writing {
	readonly #store: Store;
	readonly #n: number;
	readonly #note?: string;
	#wait?: { note: string; until?: number };
	#attended = false;

	/** @param note what is being done, where that is more than proposing */
	constructor(store: Store, n: number, note?: string) {
		this.#store = store;
		this.#n = n;
		this.#note = note;
	}

	/** From here on the loop has nothing else to do: it shows what its researcher waits for, from before too. */
	attend(): this {
		this.#attended = true;
		this.#showPhase();
		return this;
	}

	waits(note: string, until?: number): void {
		this.#wait = { note, until };
		this.#showPhase();
	}

	drafts(draft: Omit<Extract<Tick, { type: "tick.draft" }>, "type" | "n" | "ahead">): void {
		if (this.#wait) {
			this.#wait = undefined;
			this.#showPhase();
		}
		this.#store.tick({ type: "tick.draft", n: this.#n, ...draft, ahead: !this.#attended });
	}

	#showPhase(): void {
		if (!this.#attended) return;
		const doing = this.#wait
			? { phase: "waiting" as const, ...this.#wait }
			: { phase: "proposing" as const, note: this.#note };
		this.#store.tick({ type: "tick.phase", n: this.#n, ...doing });
	}
}

/**
 * Throws when the researcher does, when `signal` is aborted, when a limit of the run is reached before it is written, and when
 * the proposal is not one the lab allows.
 */
export async function askForProposal(
	asking: Asking,
	planned: Planned,
	signal: AbortSignal,
	writing: Writing,
): Promise<Proposal> {
	const { researcher } = asking;
	const proposal = await researcher.propose(planned.brief, optionsFor(asking, planned, signal, writing));
	signal.throwIfAborted();
	return checked(proposal, planned.brief, researcher.name);
}

/** A second chance for a proposal that crashed; undefined when its author gives up, or does not repair. */
export async function askForRepair(
	asking: Asking,
	planned: Planned,
	crash: Crash,
	signal: AbortSignal,
	writing: Writing,
): Promise<Proposal | undefined> {
	const { researcher } = asking;
	const repaired = await researcher.repair?.(planned.brief, crash, optionsFor(asking, planned, signal, writing));
	signal.throwIfAborted();
	return repaired && checked(repaired, planned.brief, researcher.name);
}

function optionsFor(asking: Asking, { brief, basis }: Planned, wanted: AbortSignal, writing: Writing): ProposeOptions {
	const { store, repository, dir, spending } = asking;
	const { n, files } = brief;
	const signal = AbortSignal.any([wanted, spending.signal]);
	signal.throwIfAborted();
	return {
		signal,
		onDraft({ title, hypothesis, files: drafted, text }) {
			if (signal.aborted) return;
			const diff = drafted && drafted.length > 0 ? diffOf(files, drafted) : undefined;
			writing.drafts({ title, hypothesis, text, diff });
		},
		onWait(note, until) {
			if (!signal.aborted) writing.waits(note, until);
		},
		onNotice: (level, text) => void store.emit({ type: "notice", level, text }),
		onUsage: (usage) => void spending.add(n, usage),
		evidence: evidenceOf(asking, basis),
		checkout: () => openCheckout(repository, basis, join(agentsPath(dir), `${n}-${Date.now().toString(36)}`)),
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
