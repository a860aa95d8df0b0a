/** What a person can have got wrong before a run starts or carries on, each with the way to mend it. */
import { UserError } from "../errors.ts";
import { branchOf, type Repository } from "../git/repository.ts";
import type { State } from "../journal/state.ts";
import { LAB_FILE, type Lab } from "../lab/lab.ts";
import type { RunLimits } from "../loop/spending.ts";
import type { Researcher } from "../researcher/researcher.ts";

/** A run starts from HEAD: code that is not committed would silently not be in it. */
export async function checkFreshStart(lab: Lab, tag: string, repository: Repository): Promise<void> {
	const dirty = await repository.uncommitted(lab.edit);
	if (dirty.length > 0) {
		throw new UserError(
			`${dirty.join(", ")} has uncommitted changes, and a run starts from the last commit: commit or stash them first`,
		);
	}
	for (const path of lab.edit) {
		if (await repository.exists("HEAD", path)) continue;
		throw new UserError(`${LAB_FILE}: edit: ${path} is not in the last commit of ${repository.root}`);
	}
	if (await repository.resolve(`refs/heads/${branchOf(tag)}`)) {
		throw new UserError(
			`the branch ${branchOf(tag)} exists, but results/${tag} does not know it: choose another --tag, ` +
				`or delete the branch with "git branch -D ${branchOf(tag)}"`,
		);
	}
}

/**
 * Numbers measured under other conditions must not meet in one table.
 * @param budget the seconds asked for, if any were
 */
export function checkComparable(lab: Lab, budget: number | undefined, { tag, budgetSeconds, metric }: State): void {
	if (budget !== undefined && budget !== budgetSeconds) {
		throw new UserError(
			`run ${tag} gives each experiment ${budgetSeconds} s, not ${budget} s, and its numbers would not ` +
				"compare: leave --budget out to carry on, or start another run with --tag NAME",
		);
	}
	if (metric.name !== lab.metric.name || metric.direction !== lab.metric.direction) {
		throw new UserError(
			`run ${tag} measures ${metric.name} (${metric.direction} is better), ${LAB_FILE} says otherwise: ` +
				"start another run with --tag NAME",
		);
	}
}

/** A limit on what the researcher does not count would never be reached. */
export function checkCountable({ tokens, cost }: RunLimits, { name, counts }: Researcher): void {
	const flag = tokens !== undefined ? "--max-tokens" : "--max-cost";
	if (!counts && (tokens ?? cost) !== undefined) {
		throw new UserError(
			`the researcher ${name} does not count what it spends, so ${flag} would never be reached: ` +
				"leave it out, or use --researcher anthropic",
		);
	}
	if (cost !== undefined && counts !== "cost") {
		throw new UserError(
			`--max-cost needs prices: set researcher.${name}.prices in ${LAB_FILE} to those of a million tokens, ` +
				'like { "input": 5, "output": 25 }',
		);
	}
}

/** Two GPUs of one machine and kind compare; a GPU and a CPU, or a software device, do not. */
export function checkDevice(chosen: string, { tag, device }: State): void {
	const kindOf = (name: string) => name.replace(/:\d+$/, "");
	if (kindOf(chosen) === kindOf(device)) return;
	throw new UserError(
		`run ${tag} trains on ${device}, not on ${chosen}, and in the same time another device takes more or ` +
			"fewer steps: leave --device out to carry on, or start another run with --tag NAME",
	);
}

/** The loop moves the branch, so no checkout may stand on it, and it may hold no commits but the run's. */
export async function checkBranch(repository: Repository, branch: string, { tag, base }: State): Promise<void> {
	if (await repository.checkedOut(branch)) {
		throw new UserError(
			`${branch} is checked out, and the run moves it: switch to another branch first, for example "git switch -"`,
		);
	}
	const tip = await repository.resolve(`refs/heads/${branch}`);
	if (!tag || !tip || tip === base) return;
	const ours = new Set((await repository.experimentRefs(tag)).values());
	if (ours.has(tip)) return;
	throw new UserError(
		`${branch} stands on ${tip.slice(0, 7)}, which is no experiment of this run: ` +
			`rename it with "git branch -m ${branch} NAME" and start again, and nothing is lost`,
	);
}
