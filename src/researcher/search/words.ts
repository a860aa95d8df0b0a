/** How a choice is put into words: an imperative title and a hypothesis that says what speaks for it. */
import type { Beliefs, Move } from "./beliefs.ts";
import { topicOf } from "./knowledge.ts";
import type { Trial } from "./lineage.ts";
import { type Choice, isRaise } from "./moves.ts";

export function titleOf({ moves }: Choice): string {
	if (moves.length === 1) return capitalise(phrase(moves[0]!, true));
	const phrases = moves.map((move) => phrase(move, false));
	return capitalise(`${phrases.slice(0, -1).join(", ")} and ${phrases.at(-1)}`);
}

function phrase(move: Move, withOld: boolean): string {
	const { name, value, text } = move.axis.constant;
	if (typeof value === "boolean") return `switch ${name} ${value ? "off" : "on"}`;
	const verb = typeof value === "string" ? "switch" : isRaise(move) ? "raise" : "lower";
	return `${verb} ${name}${withOld ? ` from ${bare(text)}` : ""} to ${bare(move.text)}`;
}

function bare(text: string): string {
	return text.replace(/^["'](.*)["']$/, "$1");
}

export function hypothesisOf({ moves, coupling }: Choice, trials: readonly Trial[], beliefs: Beliefs): string {
	const [first, second] = moves;
	if (first && second && coupling) return `${sentence(reason(first))} ${sentence(coupling.why)}`;
	if (first && second) {
		const [a, b] = [precedent(first, trials, beliefs), precedent(second, trials, beliefs)];
		if (a && b) return sentence(`${a.text}, and ${b.text}; together they may do more`);
		return `${sentence(reason(first))} ${sentence(reason(second))}`;
	}
	const known = precedent(first!, trials, beliefs);
	return known ? `${sentence(known.text)} ${sentence(reason(first!))}` : sentence(reason(first!));
}

/** What moving a constant this way is known to do. */
function reason(move: Move): string {
	const { name, value } = move.axis.constant;
	const topic = topicOf(name);
	if (typeof value === "string") {
		const choice = `${bare(move.text)} may suit this budget better than ${value}`;
		return topic ? `${topic.up}; ${choice}` : choice;
	}
	if (topic) return isRaise(move) ? topic.up : topic.down;
	if (typeof value === "boolean") return `nothing shows yet that ${name} is best ${value ? "on" : "off"}`;
	return `nothing shows yet that ${name} is best at ${bare(move.axis.constant.text)}`;
}

/** The experiment that speaks most for a move: the same way and better or nearly so, or the other way and worse. */
function precedent(move: Move, trials: readonly Trial[], beliefs: Beliefs): { text: string } | undefined {
	const { name } = move.axis.constant;
	let found: { gain: number; same: boolean; n: number; alone: boolean } | undefined;
	for (const trial of trials) {
		const [before, after] = [trial.before.get(name), trial.after.get(name)];
		const gain = beliefs.gainOf(trial);
		if (before === undefined || after === undefined || before === after || gain === undefined) continue;
		const numbers = typeof after === "number" && typeof before === "number";
		const same = numbers ? after > before === isRaise(move) : after === move.value;
		const supports = same ? gain : -gain;
		if (supports > (found ? (found.same ? found.gain : -found.gain) : Number.NEGATIVE_INFINITY)) {
			found = { gain, same, n: trial.experiment.n, alone: trial.experiment.changes.length === 1 };
		}
	}
	if (!found) return undefined;
	const amount = Math.abs(found.gain).toPrecision(2);
	const way =
		typeof move.value !== "number" ? "this" : isRaise(move) === found.same ? `raising ${name}` : `lowering ${name}`;
	const effect = found.gain > 0 ? `gained ${amount}` : `lost ${found.same ? "only " : ""}${amount}`;
	return { text: `${way} ${effect} in experiment ${found.n}${found.alone ? "" : " along with another change"}` };
}

function capitalise(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentence(text: string): string {
	return `${capitalise(text)}.`;
}
