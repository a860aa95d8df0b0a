/** `autoresearch train`: one training run by hand, with karpathy/autoresearch's progress line and summary block. */
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { prepareDataset } from "../../prepare/dataset.ts";
import { UserError } from "../errors.ts";
import { ExperimentDir, makeIgnored, resultsDir } from "../journal/run-dir.ts";
import { loadLab } from "../lab/lab.ts";
import { resolveDevice } from "../runner/device.ts";
import { evaluateArguments, trainArguments, withoutSecrets } from "../runner/trainer.ts";
import { runProcess } from "../subprocess/run-process.ts";
import { budgetOption, deviceOption, labOption, seedOption, threadsOption } from "./options.ts";
import { prepareDisplay } from "./prepare-progress.ts";

interface Flags {
	lab: string;
	budget?: number;
	seed?: number;
	threads?: number;
	device?: string;
	out?: string;
	sample?: string;
}

export function trainCommand(): Command {
	return new Command("train")
		.description("train the lab's training file once, as it is on disk, and measure it")
		.addOption(labOption())
		.addOption(budgetOption())
		.addOption(seedOption())
		.addOption(threadsOption())
		.addOption(deviceOption())
		.addOption(new Option("--out <dir>", "where the model and the numbers go (default: results/by-hand)"))
		.addOption(new Option("--sample <text>", "afterwards, print how the trained model continues this text"))
		.addHelpText(
			"after",
			`
Examples:
  autoresearch train --budget 30s
  autoresearch train --budget 1m --sample "The state of the union is"
  autoresearch train > run.log 2>&1; grep ^val_bpb: run.log`,
		)
		.action(async (flags: Flags) => {
			process.exitCode = await train(flags);
		});
}

async function train(flags: Flags): Promise<number> {
	const lab = loadLab(flags.lab);
	if (lab.train !== "built-in")
		throw new UserError(`this lab trains with a command of its own: run "${lab.train.command.join(" ")}"`);
	const display = prepareDisplay();
	const dataset = await prepareDataset(
		{ source: lab.data.source, vocabSize: lab.data.vocabulary },
		{ onProgress: display.show },
	).finally(display.end);
	const byHand = join(resultsDir(lab.dir), "by-hand");
	if (!flags.out) makeIgnored(byHand);
	const out = new ExperimentDir(resolve(flags.out ?? byHand)).make();
	const options = {
		lab,
		budgetSeconds: flags.budget ?? lab.budget,
		seed: flags.seed ?? 1,
		threads: flags.threads ?? availableParallelism(),
		device: await resolveDevice(flags.device, (line) => process.stdout.write(`${line}\n`)),
	};

	// The summary is held back until the metric, which only the evaluation knows, can head it.
	let summary = "";
	const trained = await stream(trainArguments(options, lab.dir, out), (text) => {
		const start = summary ? 0 : text.search(/^---$/m);
		if (start < 0) process.stdout.write(text);
		else {
			process.stdout.write(text.slice(0, start));
			summary += text.slice(start);
		}
	});
	if (trained !== 0) return trained;
	let measured = "";
	const evaluated = await stream(evaluateArguments(options, out.model, "val", out.path), (text) => {
		measured += text;
	});
	if (evaluated !== 0) return evaluated;
	const metric = measured.split("\n").find((line) => line.startsWith(`${lab.metric.name}:`));
	process.stdout.write(summary.replace(/^---\n/, `---\n${metric}\n`));
	if (flags.sample !== undefined) {
		const { printSample } = await import("./print-sample.ts");
		await printSample(dataset, out.model, flags.sample, options);
	}
	return 0;
}

/** Runs one of our programs, handing on what it prints; its stderr is ours. Returns its exit code. */
async function stream(command: string[], onText: (text: string) => void): Promise<number> {
	const interrupted = new AbortController();
	const end = () => interrupted.abort();
	process.on("SIGINT", end).on("SIGTERM", end);
	const { code, spawnError } = await runProcess({
		command,
		cwd: process.cwd(),
		env: withoutSecrets(process.env),
		signal: interrupted.signal,
		onText: (text, from) => void (from === "stdout" ? onText(text) : process.stderr.write(text)),
	}).finally(() => process.off("SIGINT", end).off("SIGTERM", end));
	if (spawnError) throw spawnError;
	return code ?? 1;
}
