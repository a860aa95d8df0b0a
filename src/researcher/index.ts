/** The researchers by name: what `--researcher` takes. */
import { type Researcher, ResearcherError } from "./researcher.ts";
import { createSearch } from "./search/search.ts";

export const RESEARCHERS: { name: string; summary: string }[] = [
	{
		name: "search",
		summary: "built in: moves the constants of the training file and learns from the results; needs no key",
	},
];

/** Throws a ResearcherError for a name it does not know. */
export function createResearcher(name: string): Researcher {
	if (name === "search") return createSearch();
	const known = RESEARCHERS.map((researcher) => researcher.name).join(", ");
	throw new ResearcherError(`There is no researcher "${name}". There are: ${known}.`);
}
