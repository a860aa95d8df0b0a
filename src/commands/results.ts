/** `autoresearch results`: what a run has found, from its journal, while it runs or after. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { UserError } from "../errors.ts";
import { fold } from "../journal/fold.ts";
import { readJournal } from "../journal/journal.ts";
import { RunDir, resultsDir } from "../journal/run-dir.ts";
import { best, initialState, type State } from "../journal/state.ts";
import { spent, type Usage } from "../journal/usage.ts";
import { type Lab, loadLab } from "../lab/lab.ts";
import { checkTag, todaysTag } from "../lab/run-tag.ts";
import { grouped } from "../report/format.ts";
import { programRecords, resultRecords } from "../report/result-records.ts";
import { jsonOption, labOption, tagOption } from "./options.ts";

export function resultsCommand(): Command {
	return new Command("results")
		.description("print the experiments of a run")
		.addOption(labOption())
		.addOption(tagOption())
		.addOption(jsonOption("an array, an object an experiment"))
		.addOption(new Option("--by <what>", "one row a version of program.md: what each steered").choices(["program"]))
		.addHelpText(
			"after",
			`
Examples:
  autoresearch results --tag nov21
  autoresearch results --by program               which instructions led where
  autoresearch results --json | jq '.[] | select(.status == "keep")'`,
		)
		.action((flags: { lab: string; tag?: string; json?: boolean; by?: "program" }) => {
			const lab = loadLab(flags.lab);
			const state = readState(lab, checkTag(flags.tag ?? todaysTag()));
			const records = flags.by ? programRecords(state) : resultRecords(state);
			const text = flags.by ? programsText(state) : resultsText(state);
			process.stdout.write(flags.json ? `${JSON.stringify(records, null, 2)}\n` : text);
		});
}

/** The state of a run as its journal has it; throws UserError when there is no such run. */
export function readState(lab: Lab, tag: string): State {
	const path = new RunDir(lab.dir, tag).journal;
	const { events } = readJournal(path);
	if (events.length === 0) {
		const others = tags(lab);
		throw new UserError(
			others.length > 0
				? `no run ${tag} in ${lab.dir}; there are: ${others.join(", ")} (choose one with --tag)`
				: `no run ${tag} in ${lab.dir}: start one with autoresearch tui`,
		);
	}
	return events.reduce<State>(fold, initialState());
}

function tags(lab: Lab): string[] {
	const results = resultsDir(lab.dir);
	if (!existsSync(results)) return [];
	const named = readdirSync(results).filter(
		(name) => statSync(new RunDir(lab.dir, name).journal, { throwIfNoEntry: false })?.size,
	);
	return named.sort((a, b) => statSync(join(results, b)).mtimeMs - statSync(join(results, a)).mtimeMs);
}

function resultsText(state: State): string {
	const standing = best(state);
	const rows = state.experiments.map((e) => [
		`${e === standing ? "*" : " "}${String(e.n).padStart(4)}`,
		e.commit?.slice(0, 7) ?? "-",
		e.value === undefined || e.status === "crash" ? "-" : e.value.toFixed(6),
		e.status ?? "running",
		e.status === "crash" ? `${e.title} [${e.reason}]` : e.title,
	]);
	return textTable([["    n", "commit", state.metric.name, "status", "description"], ...rows]) + spendingText(state);
}

/** What each proposal cost and all of them together; nothing where nothing was counted. */
function spendingText(state: State): string {
	const total = spent(state);
	if (!total) return "";
	const rows = state.experiments.flatMap(({ n, usage }) => (usage ? [spendingRow(`${n}`, usage)] : []));
	if (state.spentAhead) rows.push(spendingRow("next", state.spentAhead));
	const header = ["n", "input", "output", "cache read", "cache write", "cost"];
	const table = [header, ...rows, spendingRow("all", total)];
	return `\nTokens:\n${textTable(table.map(([n, ...cells]) => [n!.padStart(5), ...cells]))}`;
}

function spendingRow(name: string, usage: Usage): string[] {
	const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, cost } = usage;
	const counts = [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens].map(grouped);
	return [name, ...counts, cost === undefined ? "-" : cost.toFixed(4)];
}

function programsText(state: State): string {
	const rows = programRecords(state).map((p) => [
		p.program,
		String(p.experiments),
		String(p.kept),
		p.best === null ? "-" : p.best.toFixed(6),
		p.from === p.to ? `${p.from}` : `${p.from}-${p.to}`,
	]);
	return textTable([["program", "experiments", "kept", `best ${state.metric.name}`, "numbers"], ...rows]);
}

function textTable(rows: string[][]): string {
	const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
	const lines = rows.map((row) =>
		row
			.map((cell, i) => cell.padEnd(widths[i]!))
			.join("  ")
			.trimEnd(),
	);
	return `${lines.join("\n")}\n`;
}
