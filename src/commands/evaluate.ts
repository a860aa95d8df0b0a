/** `autoresearch evaluate`: the metric of a trained model, on the validation or the held-out split. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { UserError } from "../errors.ts";
import { RunDir } from "../journal/run-dir.ts";
import { best } from "../journal/state.ts";
import { type Lab, loadLab } from "../lab/lab.ts";
import { checkTag, todaysTag } from "../lab/run-tag.ts";
import { resolveDevice } from "../runner/device.ts";
import { evaluateArguments } from "../runner/trainer.ts";
import { deviceOption, labOption, tagOption, threadsOption } from "./options.ts";
import { readState } from "./results.ts";

interface Flags {
	lab: string;
	tag?: string;
	model?: string;
	split: "val" | "test";
	threads?: number;
	device?: string;
}

export function evaluateCommand(): Command {
	return new Command("evaluate")
		.description("measure the best model of a run, or any model")
		.addOption(labOption())
		.addOption(tagOption())
		.addOption(new Option("--model <dir>", "a model's folder, as train leaves it (DIR/model)"))
		.addOption(
			new Option("--split <name>", "test is the held-out split that no run has seen")
				.choices(["val", "test"])
				.default("val"),
		)
		.addOption(threadsOption())
		.addOption(deviceOption())
		.addHelpText(
			"after",
			`
Examples:
  autoresearch evaluate --tag nov21 --split test      the best model of a run on text nothing has seen
  autoresearch evaluate --model results/by-hand/model`,
		)
		.action(async (flags: Flags) => {
			const lab = loadLab(flags.lab);
			if (lab.evaluate !== "built-in") throw new UserError("this lab measures with a command of its own: run that one");
			const model = flags.model ? resolve(flags.model) : bestModel(lab, checkTag(flags.tag ?? todaysTag()));
			if (!existsSync(model)) throw new UserError(`there is no model at ${model}: train one with "autoresearch train"`);
			const options = {
				lab,
				budgetSeconds: lab.budget,
				seed: 1,
				threads: flags.threads ?? availableParallelism(),
				device: await resolveDevice(flags.device),
			};
			const out = mkdtempSync(join(tmpdir(), "autoresearch-"));
			try {
				const [command, ...args] = evaluateArguments(options, model, flags.split, out);
				process.exitCode = spawnSync(command!, args, { stdio: "inherit" }).status ?? 1;
			} finally {
				rmSync(out, { recursive: true, force: true });
			}
		});
}

function bestModel(lab: Lab, tag: string): string {
	const standing = best(readState(lab, tag));
	if (!standing) throw new UserError(`the run ${tag} has no measured model yet`);
	return new RunDir(lab.dir, tag).experiment(standing.n).model;
}
