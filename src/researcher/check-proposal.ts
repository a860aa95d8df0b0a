/** The rules that every researcher's proposal must keep before it becomes an experiment. */
import { oneLine } from "../text.ts";
import { changedConstants, checkSyntax } from "./constant-changes.ts";
import { type EditBuffer, mayNotEdit } from "./edit-buffer.ts";
import { rejectRepeat } from "./repeats.ts";
import { type Brief, type Evidence, type Proposal, Rejection, type SourceFile } from "./researcher.ts";

/** The title is a commit's subject and a row's description; longer ones are cut. */
export const TITLE_LIMIT = 100;
const HYPOTHESIS_LIMIT = 1000;

/**
 * The proposal without unchanged files, its title and hypothesis on one line each, cut at their limits.
 * @param editable the files that may be edited, with the texts a proposal must differ from
 * @throws Rejection for a file that may not be edited, for no change, and for an empty title
 */
export function checkProposal(proposal: Proposal, editable: readonly SourceFile[]): Proposal {
	const base = new Map(editable.map(({ path, text }) => [path, text]));
	const forbidden = proposal.files.find(({ path }) => !base.has(path));
	if (forbidden) throw new Rejection(mayNotEdit(forbidden.path, [...base.keys()]));
	const files = proposal.files.filter(({ path, text }) => base.get(path) !== text);
	if (files.length === 0) throw new Rejection("Nothing has been edited: change the file before you submit.");
	const title = oneLine(proposal.title, TITLE_LIMIT).replace(/\.$/, "");
	if (!title) throw new Rejection("The title is empty.");
	return { ...proposal, files, title, hypothesis: oneLine(proposal.hypothesis, HYPOTHESIS_LIMIT) };
}

/**
 * The edits of a buffer as a proposal.
 * @throws Rejection for what checkProposal rejects, for a file that does not parse, and for a repeated experiment
 */
export async function submit(
	brief: Brief,
	buffer: EditBuffer,
	{ title, hypothesis }: Pick<Proposal, "title" | "hypothesis">,
	evidence?: Evidence,
): Promise<Proposal> {
	const files = buffer.isEdited ? buffer.files : [];
	for (const file of files) checkSyntax(file);
	const changes = files.flatMap(({ path, text }) => changedConstants(path, buffer.base.get(path)!, text));
	const proposal = checkProposal({ title, hypothesis, files, changes }, brief.files);
	await rejectRepeat(brief, files, changes, evidence);
	return proposal;
}
