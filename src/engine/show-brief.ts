/** The brief the researcher of a run would be given now, as text; nothing is sent and nothing is written. */
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { Repository } from "../git/repository.ts";
import { fold } from "../journal/fold.ts";
import { readJournal } from "../journal/journal.ts";
import { RunDir } from "../journal/run-dir.ts";
import { inFlight, initialState, type State } from "../journal/state.ts";
import { loadLab } from "../lab/lab.ts";
import { checkTag, todaysTag } from "../lab/run-tag.ts";
import { planBrief } from "../loop/brief.ts";
import { evidenceOf } from "../loop/evidence.ts";
import { readProgram } from "../program/program.ts";
import { resolveConfig } from "../researcher/config.ts";
import { createResearcher, defaultResearcher } from "../researcher/index.ts";
import type { RunOptions } from "./start.ts";

export async function showBrief(options: RunOptions): Promise<string> {
	const lab = loadLab(options.lab);
	const dir = new RunDir(lab.dir, checkTag(options.tag ?? todaysTag()));
	const repository = await Repository.open(lab.dir);
	const config = resolveConfig(lab.researcher, process.env, options.researcher);
	const researcher = createResearcher(defaultResearcher(config, process.env), config, process.env);
	if (!researcher.show)
		throw new UserError(`the researcher ${researcher.name} is given no text: choose another with --researcher`);

	const begun = readJournal(dir.journal).events.reduce<State>(fold, initialState());
	const fresh = {
		base: (await repository.resolve("HEAD"))!,
		metric: lab.metric,
		budgetSeconds: options.budget ?? lab.budget,
	};
	const state: State = begun.tag ? begun : { ...begun, ...fresh };
	const running = inFlight(state);
	// What is committed is in training: the next proposal is asked for meanwhile.
	const n = running && !running.commit ? running.n : state.experiments.length + 1;
	const parts = { lab, repository, researcher, dir, store: { state } };
	const { brief, basis } = await planBrief(parts, n, readProgram(join(lab.dir, lab.program)));
	return researcher.show(brief, evidenceOf(parts, basis));
}
