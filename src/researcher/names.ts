/** The researchers by name, for help and options, without loading the researchers themselves. */
import { PRESETS } from "./command/presets.ts";

/** The researcher that can stand in for another: it needs nothing that could be out of reach. */
export const STAND_IN = "search";

export const RESEARCHERS: { name: string; summary: string }[] = [
	{
		name: STAND_IN,
		summary: "built in: varies the constants of the training file and learns from the results; needs no key",
	},
	{
		name: "anthropic",
		summary: "Claude, or another model behind the Messages API; needs ANTHROPIC_API_KEY or a base URL",
	},
	...PRESETS.map(({ name, summary }) => ({ name, summary })),
	{ name: "command", summary: "the program of the lab file's researcher.command, in a checkout of the lab" },
];
