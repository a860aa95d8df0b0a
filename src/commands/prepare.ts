/** `autoresearch prepare`: corpus, tokenizer and tokens, once for all runs. */
import { Command, Option } from "commander";
import { prepareDataset } from "../../prepare/dataset.ts";
import { UserError } from "../errors.ts";
import { LAB_FILE, loadLab, resolveSource } from "../lab/lab.ts";
import { labOption } from "./options.ts";
import { prepareDisplay } from "./prepare-progress.ts";

export function prepareCommand(): Command {
	return new Command("prepare")
		.description("prepare the lab's data: corpus, tokenizer, tokens; a second time does nothing")
		.addOption(labOption())
		.addOption(
			new Option("--source <name>", '"sotu", or the path of a text file, a folder, or a .jsonl file with "text"'),
		)
		.addHelpText(
			"after",
			`
Examples:
  autoresearch prepare                            the lab's own corpus
  autoresearch prepare --source ~/books           every text file of a folder`,
		)
		.action(async (flags: { lab: string; source?: string }) => {
			const { data, train } = loadLab(flags.lab);
			if (train !== "built-in") {
				throw new UserError(
					`this lab trains with a command of its own ("${train.command.join(" ")}"), which reads no data of ours: ` +
						"prepare is for labs with the built-in trainer",
				);
			}
			const display = prepareDisplay();
			const spec = {
				source: flags.source ? resolveSource(flags.source, process.cwd()) : data.source,
				vocabSize: data.vocabulary,
			};
			const dataset = await prepareDataset(spec, { onProgress: display.show }).finally(display.end);
			const counts = Object.entries(dataset.manifest.splits).map(
				([name, split]) => `${name} ${split.tokens.toLocaleString("en-US")}`,
			);
			process.stdout.write(`${dataset.dir}\nvocabulary ${dataset.vocabSize}; tokens: ${counts.join(", ")}\n`);
			if (spec.source !== data.source) {
				const key = `"data": { "source": ${JSON.stringify(spec.source)} }`;
				process.stdout.write(`train, run and tui go on with ${data.source}: set ${key} in ${LAB_FILE} to use this\n`);
			}
		});
}
