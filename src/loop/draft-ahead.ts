/**
 * The next proposal, drafted while the present experiment trains, so that the device does not wait for a model. It is
 * drafted against the best as it is then; when that changes it is merged onto the new best, or dropped. A new
 * program.md or a new note drops it, since it must be heard by the very next proposal.
 */
import { messageOf } from "../errors.ts";
import { mergeTexts } from "../git/merge.ts";
import type { ProgramText } from "../program/program.ts";
import { changedConstants } from "../researcher/constant-changes.ts";
import type { BriefPlan } from "../researcher/plateau.ts";
import type { Proposal } from "../researcher/researcher.ts";
import { type Planned, planBrief } from "./brief.ts";
import { LiveDraft } from "./live-draft.ts";
import { askForProposal } from "./proposal.ts";
import type { RunContext } from "./run-context.ts";
import { LimitReached } from "./spending.ts";

interface Draft {
	n: number;
	program: string;
	/** What the branch stood on when it was begun. */
	standing: number;
	controller: AbortController;
	live: LiveDraft;
	planned: Promise<Planned>;
	/** Resolves to undefined when it was dropped or the researcher failed; the loop then asks in the ordinary way. */
	result: Promise<Drafted | undefined>;
}

export interface Drafted {
	planned: Planned;
	proposal: Proposal;
}

export class DraftAhead {
	readonly #run: RunContext;
	#draft?: Draft;
	/** Results still to come, those of dropped drafts included. */
	readonly #unfinished = new Set<Promise<unknown>>();

	constructor(run: RunContext) {
		this.#run = run;
	}

	/** Begins to draft experiment `n` under `program`; what was being drafted before is dropped. */
	begin(n: number, program: ProgramText): void {
		this.drop();
		const { store } = this.#run;
		const controller = new AbortController();
		const live = new LiveDraft(store, n);
		const planned = planBrief(this.#run, n, program);
		const result = planned
			.then(async (planned) => {
				const proposal = await askForProposal(this.#run, planned, controller.signal, live);
				return { planned, proposal };
			})
			.catch(async (error) => {
				if (controller.signal.aborted || error instanceof LimitReached) return undefined;
				const text = `the draft of experiment ${n} failed and will be asked for again in its turn: ${messageOf(error)}`;
				await store.emit({ type: "notice", level: "warn", text });
				return undefined;
			});
		this.#unfinished.add(result);
		void result.then(() => this.#unfinished.delete(result));
		const { standing } = store.state;
		this.#draft = { n, program: program.version, standing, controller, live, planned, result };
	}

	/** The number being drafted; undefined when there is none. */
	get n(): number | undefined {
		return this.#draft?.n;
	}

	drop(): void {
		this.#draft?.controller.abort();
		this.#draft = undefined;
	}

	/** Drops the draft and resolves when nothing is being written any more. */
	async close(): Promise<void> {
		this.drop();
		await Promise.all(this.#unfinished);
	}

	/** What the draft of experiment `n` was asked to be: the plan of the experiment that takes it. */
	async plan(n: number, program: ProgramText): Promise<BriefPlan | undefined> {
		const draft = this.#draft;
		if (!draft || !fits(draft, n, program.version)) return undefined;
		const planned = await draft.planned.catch(() => undefined);
		const plan = planned?.brief.plan;
		const { standing } = this.#run.store.state;
		// It goes on top of what was kept since, whatever it was drafted from.
		return plan && standing !== draft.standing ? { ...plan, base: standing } : plan;
	}

	/**
	 * The draft of experiment `n`, once it is there, moved onto what `now` was planned from. Undefined when there is none
	 * that fits. Rejects when `signal` is aborted while it is being waited for.
	 */
	async take(now: Planned, signal: AbortSignal): Promise<Drafted | undefined> {
		const draft = this.#draft;
		this.#draft = undefined;
		if (!draft) return undefined;
		if (!fits(draft, now.brief.n, now.brief.program.version)) {
			draft.controller.abort();
			return undefined;
		}
		const abort = () => draft.controller.abort();
		signal.addEventListener("abort", abort, { once: true });
		if (signal.aborted) abort();
		draft.live.awaited();
		const drafted = await draft.result;
		signal.removeEventListener("abort", abort);
		signal.throwIfAborted();
		return drafted && (await moveOnto(drafted, now));
	}
}

function fits(draft: Draft, n: number, program: string): boolean {
	return draft.n === n && draft.program === program;
}

async function moveOnto({ planned, proposal }: Drafted, now: Planned): Promise<Drafted | undefined> {
	if (planned.basis === now.basis) return { planned: now, proposal };
	const files = [];
	for (const { path, text } of proposal.files) {
		const base = planned.brief.files.find((file) => file.path === path)!.text;
		const ours = now.brief.files.find((file) => file.path === path)!.text;
		const merged = await mergeTexts(ours, base, text);
		if (merged === undefined || merged === ours) return undefined;
		files.push({ path, text: merged });
	}
	const before = new Map(now.brief.files.map(({ path, text }) => [path, text]));
	const changes = files.flatMap(({ path, text }) => changedConstants(path, before.get(path)!, text));
	return { planned: now, proposal: { ...proposal, files, changes } };
}
