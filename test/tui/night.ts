/**
 * A scripted night: the events of a run as a real one would leave them, from a seed. What the console's tests, its
 * benchmark and its picture draw is the state that the real fold makes of these.
 */
import { createTwoFilesPatch } from "diff";
import type { JournalEvent, NewEvent, Tick, TrainingProgress } from "../../src/journal/events.ts";

export const STARTED_AT = Date.parse("2026-11-21T22:00:00Z");
export const BUDGET_SECONDS = 300;
const EXPERIMENT_SECONDS = 318;

const IDEAS: readonly [name: string, from: string, to: string, title: string, hypothesis: string][] = [
	[
		"MATRIX_LR",
		"0.02",
		"0.03",
		"Raise the matrix learning rate to 0.03",
		"Muon's updates are orthogonal, so the short budget can take larger steps before it becomes unstable.",
	],
	[
		"WARMDOWN_RATIO",
		"0.4",
		"0.6",
		"Begin the warmdown earlier",
		"Most of the late gain comes while the rate falls; a longer fall should leave the weights lower.",
	],
	[
		"DEPTH",
		"4",
		"6",
		"Six layers in place of four",
		"At this width the model is limited by depth, and the tokens lost to slower steps are paid back.",
	],
	[
		"ACTIVATION",
		'"relu2"',
		'"silu"',
		"SiLU in the MLP",
		"A smooth activation passes gradient below zero, where relu squared is silent.",
	],
	[
		"WINDOW_PATTERN",
		'"SSSL"',
		'"SL"',
		"Every second layer attends to everything",
		"Long-range structure in speeches spans more than the short window shows.",
	],
	[
		"EMBEDDING_LR",
		"0.2",
		"0.3",
		"Faster embeddings",
		"Rare tokens are seen a few times only; each sight must count for more.",
	],
	[
		"SOFTCAP",
		"15",
		"20",
		"Looser softcap on the logits",
		"The cap of 15 flattens confident predictions of common words.",
	],
	[
		"WEIGHT_DECAY",
		"0.0",
		"0.1",
		"Weight decay on the matrices",
		"Decay keeps the norm of the weights in the range where the learning rate fits.",
	],
	[
		"BATCH_ROWS",
		"16",
		"8",
		"Half the batch, twice the steps",
		"At five minutes the number of updates binds before the noise of each does.",
	],
	["HEAD_DIM", "64", "32", "More, narrower heads", "More heads can follow more relations at the same cost."],
	[
		"ROPE_BASE",
		"10000",
		"2000",
		"Shorter rotary base",
		"With 256 positions a base of 10000 wastes most of the frequencies.",
	],
	[
		"X0_LAMBDA",
		"0.0",
		"0.1",
		"Feed the embedding into every layer",
		"A shortcut from the tokens lets deep layers use the plain word.",
	],
];

export interface Night {
	/** How many experiments are decided. */
	decided: number;
	seed?: number;
}

/** The journal of a run with `decided` experiments behind it, and none in flight. */
export function* night({ decided, seed = 1 }: Night): Generator<JournalEvent | Tick> {
	const random = mulberry32(seed);
	let seq = 0;
	let at = STARTED_AT;
	const event = (body: NewEvent): JournalEvent =>
		({ v: 1, seq: ++seq, at: new Date(at).toISOString(), ...body }) as JournalEvent;

	yield event({
		type: "run.started",
		tag: "nov21",
		branch: "autoresearch/nov21",
		base: commitOf(0),
		lab: "autoresearch",
		metric: { name: "val_bpb", direction: "lower" },
		budgetSeconds: BUDGET_SECONDS,
		researcher: "search",
		seed,
		device: "cpu, 2 threads",
	});
	let program = "3f2a1c9d0b";
	yield event({ type: "program.changed", version: program, lines: 42 });

	let best = { n: 0, value: Number.POSITIVE_INFINITY, commit: commitOf(0) };
	for (let n = 1; n <= decided; n++) {
		if (n % 17 === 0) {
			program = commitOf(n * 7919).slice(0, 10);
			yield event({ type: "program.changed", version: program, lines: 42 + (n % 5) });
		}
		yield* started(event, n, best.commit, program);
		at += 6_000;
		const commit = n === 1 ? best.commit : commitOf(n);
		yield event({ type: "experiment.committed", n, commit, added: 1 + (n % 9), removed: 1 + (n % 4) });
		const crashes = n > 1 && random() < 0.06;
		at += (crashes ? 20 : EXPERIMENT_SECONDS - 10) * 1000;
		if (crashes) {
			const reason =
				random() < 0.5
					? "loss is NaN at step 41"
					: "matmul: shapes [16, 256, 96] and [64, 256] do not fit (train.ts:118)";
			yield event({ type: "experiment.decided", n, status: "crash", reason, seconds: { train: 14 } });
			continue;
		}
		// The best run's curve is known when it was trained under our eyes: as the last ones of a night are.
		if (n > decided - 6) yield* training(n, 1);
		const seconds = { preflight: 0.41, startup: 1.12, train: BUDGET_SECONDS };
		const summary = { steps: 1_780 + Math.floor(random() * 90), tokensM: 7.3, paramsM: 5.2, trainLoss: 3.1 };
		yield event({ type: "experiment.trained", n, seconds, memoryGb: 1.2 + random() * 0.3, summary });
		const value = n === 1 ? 1.423_811 : best.value + (random() - 0.22) * 0.02 * (0.25 + 6 / (n + 6));
		at += 4_000;
		yield event({ type: "experiment.measured", n, value: Math.round(value * 1e6) / 1e6, seconds: 3.8 });
		const isKept = value < best.value;
		const distance = Math.abs(value - best.value).toFixed(6);
		const reason = n === 1 ? "first measurement" : `val_bpb ${isKept ? "better" : "worse"} by ${distance}`;
		yield event({ type: "experiment.decided", n, status: isKept ? "keep" : "discard", reason, seconds: {} });
		if (isKept) best = { n, value, commit };
		if (n % 29 === 0)
			yield event({
				type: "notice",
				level: "info",
				text: `no win for a while: experiment ${n + 1} looks further afield`,
			});
	}
}

/** The events that put experiment `n` in flight, and the ticks of its training up to `share` of the budget. */
export function* inFlight(
	n: number,
	parent: string,
	program: string,
	seq: number,
	share: number,
): Generator<JournalEvent | Tick> {
	const at = STARTED_AT + (n - 1) * EXPERIMENT_SECONDS * 1000;
	const event = (body: NewEvent): JournalEvent =>
		({ v: 1, seq: ++seq, at: new Date(at).toISOString(), ...body }) as JournalEvent;
	yield { type: "tick.phase", phase: "proposing", n };
	yield* started(event, n, parent, program);
	yield { type: "tick.draft", n, title: ideaOf(n)[3], hypothesis: ideaOf(n)[4], diff: diffOf(n) };
	yield event({ type: "experiment.committed", n, commit: commitOf(n), added: 1 + (n % 9), removed: 1 + (n % 4) });
	yield { type: "tick.phase", phase: "training", n };
	yield* training(n, share);
}

/** The ticks of a training run, two a second of its clock, up to `share` of the budget. */
export function* training(n: number, share: number): Generator<Tick> {
	for (let elapsed = 0.5; elapsed <= BUDGET_SECONDS * share; elapsed += 0.5)
		yield { type: "tick.training", n, progress: progressAt(n, elapsed) };
}

export function progressAt(n: number, elapsed: number): TrainingProgress {
	const step = Math.floor(elapsed * 6);
	const wiggle = Math.sin(step * 12.9898 + n) * 0.05;
	return {
		step,
		loss: 3.05 + 5.3 * Math.exp(-elapsed / 22) + 0.9 * Math.exp(-elapsed / 160) + wiggle + (n % 3) * 0.04,
		lrMultiplier: Math.min(1, (1 - elapsed / BUDGET_SECONDS) / 0.4),
		stepMs: 166,
		tokensPerSecond: 24_600 + Math.round(wiggle * 1000),
		epoch: 1 + Math.floor(elapsed / 140),
		elapsed,
		remaining: BUDGET_SECONDS - elapsed,
		memoryMb: 1_274,
	};
}

function* started(
	event: (body: NewEvent) => JournalEvent,
	n: number,
	parent: string,
	program: string,
): Generator<JournalEvent> {
	yield event({ type: "experiment.started", n, parent, program, researcher: n === 1 ? "baseline" : "search" });
	const [name, from, to, title, hypothesis] = ideaOf(n);
	yield event(
		n === 1
			? { type: "experiment.proposed", n, title: "Baseline", hypothesis: "The code as it is.", changes: [], seconds: 0 }
			: { type: "experiment.proposed", n, title, hypothesis, changes: [{ name, from, to }], seconds: 0.2 },
	);
}

export function ideaOf(n: number) {
	return IDEAS[(n * 7) % IDEAS.length]!;
}

/** A real unified diff of the constants at the top of a training file. */
export function diffOf(n: number): string {
	if (n === 1) return "";
	const [name, from, to] = ideaOf(n);
	const file = (value: string) =>
		`${["// Every constant a night may turn.", ...IDEAS.map(([other, is]) => `const ${other} = ${other === name ? value : is};`), "", "export const batch = { rows: BATCH_ROWS, length: 256 };"].join("\n")}\n`;
	return createTwoFilesPatch("a/trainer/train.ts", "b/trainer/train.ts", file(from), file(to), "", "", { context: 3 });
}

/** A commit id for a number, forty hexadecimal digits. */
export function commitOf(n: number): string {
	const random = mulberry32(n + 1);
	return Array.from({ length: 40 }, () => Math.floor(random() * 16).toString(16)).join("");
}

/** A small seeded generator (Tommy Ettinger's mulberry32), so that every machine draws the same night. */
function mulberry32(seed: number): () => number {
	let a = seed;
	return () => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}
