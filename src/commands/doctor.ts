/** `autoresearch doctor`: what this machine has, and what to do about what it lacks. */
import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, totalmem } from "node:os";
import { resolve } from "node:path";
import { Command } from "commander";
import which from "which";
import { openDataset } from "../../prepare/dataset.ts";
import { chooseBest, type FoundDevice, findDevices, GPU_KINDS } from "../../trainer/tensor/device/choice.ts";
import { messageOf } from "../errors.ts";
import { LAB_FILE, type Lab, loadLab } from "../lab/lab.ts";
import { PRESETS } from "../researcher/command/presets.ts";
import { labOption } from "./options.ts";

export interface Finding {
	what: string;
	ok: boolean;
	text: string;
	/** Without it nothing works. */
	needed?: boolean;
}

export function doctorCommand(): Command {
	return new Command("doctor")
		.description("tell what this machine has: Node, git, compiler, devices, key, data")
		.addOption(labOption())
		.addHelpText(
			"after",
			"\nExample:\n  autoresearch doctor\n\nIt exits with 1 when something is missing that nothing works without.",
		)
		.action(async (flags: { lab: string }) => {
			for await (const { what, ok, needed, text } of examine(flags.lab)) {
				process.stdout.write(`${ok ? "ok  " : needed ? "MISS" : "-   "}  ${what.padEnd(10)}${text}\n`);
				if (needed && !ok) process.exitCode = 1;
			}
		});
}

/** Told one by one: a driver may take its time to answer. */
async function* examine(labDir: string): AsyncGenerator<Finding> {
	const gib = (totalmem() / 2 ** 30).toFixed(0);
	yield { what: "node", ok: true, text: `${process.version} (${process.platform}-${process.arch})` };
	yield {
		what: "machine",
		ok: true,
		text: `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${availableParallelism()} threads, ${gib} GB`,
	};
	yield tool("git", ["--version"], { needed: true, hint: "install git" });
	yield compiler();
	yield await cpu();
	yield* await gpus();
	yield key();
	yield await agents();
	const lab = attempt(() => loadLab(labDir));
	if (lab instanceof Error) {
		yield { what: "lab", ok: false, text: messageOf(lab) };
		return;
	}
	yield { what: "lab", ok: true, text: `${lab.name} in ${lab.dir}` };
	for (const step of ["train", "evaluate"] as const) {
		const program = lab[step];
		if (program !== "built-in") yield await ownProgram(lab, step, program.command[0]!);
	}
	if (lab.train === "built-in") yield data(lab);
}

function tool(name: string, args: string[], { needed = false, hint = "" }): Finding {
	try {
		const text = execFileSync(name, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
			.split("\n")[0]!
			.trim();
		return { what: name, ok: true, text };
	} catch {
		return { what: name, ok: false, needed, text: `not found: ${hint}` };
	}
}

function compiler(): Finding {
	const names = [process.env.CXX, "c++", "g++", "clang++"].filter((name) => name !== undefined);
	const found = names.map((name) => tool(name, ["--version"], {})).find(({ ok }) => ok);
	return found
		? { ...found, what: "compiler" }
		: {
				what: "compiler",
				ok: false,
				text: "no C++ compiler (g++ or clang++): the trainer works without one, more slowly",
			};
}

/** Each kind of GPU this platform may have, and what the trainer would choose. */
async function gpus(): Promise<Finding[]> {
	const found = await Promise.all(GPU_KINDS.map((kind) => findDevices(kind)));
	const { device } = await chooseBest(async (wanted) => found.find(({ kind }) => kind === wanted)!);
	return [
		...found.map(({ kind, devices, problem }) => ({
			what: kind,
			ok: devices.some(({ problem }) => !problem),
			text: problem ?? devices.map(describe).join(", "),
		})),
		{ what: "device", ok: true, text: `--device auto trains on ${device}` },
	];
}

async function cpu(): Promise<Finding> {
	try {
		// Loaded here only: the tensor library brings native code that no other command of the console needs.
		const { describeCpu } = await import("../../trainer/tensor/index.ts");
		return { what: "cpu", ok: true, text: describeCpu() };
	} catch (error) {
		return { what: "cpu", ok: false, needed: true, text: messageOf(error) };
	}
}

function describe({ description, freeBytes, totalBytes, problem }: FoundDevice, i: number): string {
	if (problem) return `${i}: ${description} does not work: ${problem}`;
	const gb = (bytes: number) => (bytes / 1e9).toFixed(1);
	return `${i}: ${description}, ${gb(freeBytes)} of ${gb(totalBytes)} GB free`;
}

function key(): Finding {
	const name = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"].find((variable) => process.env[variable]);
	if (name) return { what: "key", ok: true, text: `${name} is set` };
	return { what: "key", ok: false, text: "no ANTHROPIC_API_KEY: the built-in search proposes" };
}

/** The coding agents that `--researcher` can name here. */
async function agents(): Promise<Finding> {
	const found = await Promise.all(
		PRESETS.map(async ({ name, command }) => ((await which(command[0]!, { nothrow: true })) ? name : [])),
	);
	const names = found.flat();
	if (names.length > 0) return { what: "agents", ok: true, text: names.join(", ") };
	const text = `no coding agent found (${PRESETS.map(({ command }) => command[0]).join(", ")})`;
	return { what: "agents", ok: false, text };
}

/** A program that the lab's own command begins with; a path is looked for from the lab's folder, where it runs. */
async function ownProgram({ dir }: Lab, step: "train" | "evaluate", program: string): Promise<Finding> {
	const found = await which(program.includes("/") ? resolve(dir, program) : program, { nothrow: true });
	if (found) return { what: step, ok: true, text: found };
	const text = `${program} is not installed or not on the PATH: correct ${step}.command in ${LAB_FILE}`;
	return { what: step, ok: false, needed: true, text };
}

function data({ data: { source, vocabulary } }: Lab): Finding {
	const dataset = attempt(() => openDataset({ source, vocabSize: vocabulary }));
	if (dataset instanceof Error) return { what: "data", ok: false, text: messageOf(dataset) };
	if (!dataset)
		return {
			what: "data",
			ok: false,
			text: `${source} is not prepared yet: "autoresearch prepare" does it, and so does the first run`,
		};
	return { what: "data", ok: true, text: `${source}, vocabulary ${dataset.vocabSize}, in ${dataset.dir}` };
}

function attempt<T>(action: () => T): T | Error {
	try {
		return action();
	} catch (error) {
		return error instanceof Error ? error : new Error(String(error));
	}
}
