/** `autoresearch steer`: a line to the researcher of a run, from any terminal. */
import { Command } from "commander";
import { leaveNote } from "../engine/inbox.ts";
import { UserError } from "../errors.ts";
import { RunDir } from "../journal/run-dir.ts";
import { loadLab } from "../lab/lab.ts";
import { checkTag, todaysTag } from "../lab/run-tag.ts";
import { noteProblem } from "../loop/command.ts";
import { oneLine } from "../text.ts";
import { labOption, tagOption } from "./options.ts";
import { readState } from "./results.ts";

export function steerCommand(): Command {
	return new Command("steer")
		.description("tell the researcher something: its next proposal hears it")
		.argument("<note...>", "a line of plain words")
		.addOption(labOption())
		.addOption(tagOption())
		.addHelpText(
			"after",
			`
Examples:
  autoresearch steer "the last three were all learning rates; try the attention window"
  autoresearch steer --tag nov21 no more depth, please

What should hold for the whole run belongs in program.md.`,
		)
		.action((words: string[], flags: { lab: string; tag?: string }) => {
			const note = oneLine(words.join(" "));
			const problem = noteProblem(note);
			if (problem) throw new UserError(problem);
			const lab = loadLab(flags.lab);
			const tag = checkTag(flags.tag ?? todaysTag());
			readState(lab, tag);
			leaveNote(new RunDir(lab.dir, tag).inbox, note);
			process.stdout.write(`The note goes into the brief of the next proposal of ${tag}.\n`);
		});
}
