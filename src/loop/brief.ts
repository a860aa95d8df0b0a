/** Makes the brief for a researcher from the journal and from git. */
import type { Repository } from "../git/repository.ts";
import { inFlight, type Note, type State, standingOn } from "../journal/state.ts";
import type { Lab } from "../lab/lab.ts";
import { libraryReference } from "../lab/library.ts";
import type { ProgramText } from "../program/program.ts";
import { NOTES } from "../researcher/brief/render.ts";
import { type BriefPlan, planNext } from "../researcher/plateau.ts";
import type { Brief, Researcher, SourceFile } from "../researcher/researcher.ts";
import { trainingTimeout } from "../runner/trainer.ts";

/** A note is in the briefs of this many proposals, so that it is not lost with one that fails. */
const NOTE_BRIEFS = 5;

export interface BriefParts {
	lab: Lab;
	store: { readonly state: State };
	repository: Repository;
	researcher: Researcher;
}

export interface Planned {
	brief: Brief;
	/** The commit `brief.files` is taken from. */
	basis: string;
}

/**
 * The brief for experiment `n` under a version of program.md, as things stand now.
 * @param asked the plan to follow; worked out from the history when absent
 */
export async function planBrief(
	parts: BriefParts,
	n: number,
	program: ProgramText,
	asked?: BriefPlan,
): Promise<Planned> {
	const { store, repository, lab, researcher } = parts;
	const { state } = store;
	const history = state.experiments.filter(({ status }) => status);
	const running = inFlight(state);
	const plan = asked ?? (researcher.plansItself ? undefined : planNext(history, state.standing, state.metric));
	const from = plan?.base ?? state.standing;
	const basis = state.experiments[from - 1]?.commit ?? standingOn(state)?.commit ?? state.base;
	const read = async (path: string): Promise<SourceFile> => ({ path, text: await repository.show(basis, path) });
	const brief: Brief = {
		n,
		program,
		files: await Promise.all(lab.edit.map(read)),
		metric: state.metric,
		budgetSeconds: state.budgetSeconds,
		...(lab.train !== "built-in" && { ownTrainer: { timeoutSeconds: trainingTimeout(lab, state.budgetSeconds) } }),
		history,
		best: from,
		seed: state.seed,
		pending: running && running.n !== n ? [running] : [],
		notes: notesFor(state, n),
		reference: libraryReference(lab),
		plan,
	};
	return { brief, basis };
}

/** As many notes as a brief holds: those that no brief has held yet, in their order, then the latest of the others. */
function notesFor({ notes }: State, n: number): Note[] {
	const unheard = notes.filter(({ heardBy }) => heardBy === undefined).slice(0, NOTES);
	const heard = notes.filter(({ heardBy }) => heardBy !== undefined && heardBy > n - NOTE_BRIEFS);
	return [...heard.slice(Math.max(0, heard.length + unheard.length - NOTES)), ...unheard];
}
