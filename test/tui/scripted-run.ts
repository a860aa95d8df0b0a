/**
 * A scripted run: the journal of a run as the loop leaves it, made from a seed. The console's tests and its benchmark
 * show the state that the real fold makes of it.
 */
import { createTwoFilesPatch } from "diff";
import type { Bodies, Change, JournalEvent, NewEvent, TrainingProgress } from "../../src/journal/events.ts";
import { judge } from "../../src/loop/gate.ts";
import type { Trained } from "../../src/runner/trainer.ts";

export const STARTED_AT = Date.parse("2026-11-21T22:00:00Z");
export const EXPERIMENT_MS = 318_000;
export const BUDGET_SECONDS = 300;

export interface ScriptedRun {
	/** How many experiments are decided; none is in flight. */
	decided: number;
	seed?: number;
	/** Epoch ms. */
	startedAt?: number;
	metric?: Bodies["run.started"]["metric"];
	device?: string;
	/** What the researcher proposes as experiment `n`. */
	proposal?: (n: number) => ScriptedProposal;
	/** What the trainer returns for experiment `n`. */
	trained?: (n: number) => Trained;
	/** What the evaluation returns for experiment `n`, built on one with the value `base`. */
	value?: (n: number, base?: number) => number;
}

export interface ScriptedProposal {
	title: string;
	hypothesis: string;
	changes: Change[];
	diff: string;
}

/** The journal of such a run. */
export function* journalOf(run: ScriptedRun): Generator<JournalEvent> {
	const { decided, seed = 11, startedAt = STARTED_AT, proposal = proposalOf, trained = trainedBy } = run;
	const { metric = { name: "val_bpb", direction: "lower" }, device = "cpu" } = run;
	const random = mulberry32(seed);
	const value = run.value ?? ((n, base) => (base ? base + (random() - 0.22) * 0.02 * (0.25 + 6 / (n + 6)) : BASELINE));
	let seq = 0;
	let at = startedAt;
	const number = (body: NewEvent): JournalEvent =>
		({ v: 1, seq: ++seq, at: new Date(at).toISOString(), ...body }) as JournalEvent;

	yield number({
		type: "run.started",
		tag: "nov21",
		branch: "autoresearch/nov21",
		base: commitOf(0),
		lab: "/home/me/lab",
		metric,
		budgetSeconds: BUDGET_SECONDS,
		researcher: "search",
		seed,
		device,
	});
	yield number({ type: "notice", level: "info", text: `training on ${device}` });
	let program = "3f2a1c9d0b";
	yield number({ type: "program.changed", version: program, lines: 42 });

	let best: { value: number; commit: string } | undefined;
	for (let n = 1; n <= decided; n++) {
		if (n % 17 === 0) {
			program = commitOf(n * 7919).slice(0, 10);
			yield number({ type: "program.changed", version: program, lines: 42 + (n % 5) });
		}
		const parent = best?.commit ?? commitOf(0);
		const [started, proposed, committed] = proposalEvents(n, parent, program, proposal(n));
		yield number(started);
		yield number(proposed);
		at += 6_000;
		yield number(committed);
		const crash = n > 1 && random() < 0.06 ? CRASHES[Math.floor(random() * CRASHES.length)] : undefined;
		at += crash ? 20_000 : EXPERIMENT_MS - 10_000;
		if (crash) {
			yield number({ type: "experiment.decided", n, status: "crash", reason: crash, seconds: {} });
			continue;
		}
		yield number(trainedEvent(n, trained(n)));
		at += 4_000;
		const measured = Math.round(value(n, best?.value) * 1e6) / 1e6;
		yield number({ type: "experiment.measured", n, value: measured, seconds: 3.8 });
		const verdict = judge(measured, best?.value, metric);
		yield number({ type: "experiment.decided", n, ...verdict, seconds: {} });
		if (verdict.status === "keep") best = { value: measured, commit: committed.commit };
	}
}

const BASELINE = 1.423_811;
const CRASHES = ["loss is NaN at step 41", "matmul: shapes [16, 256, 96] and [64, 256] do not fit (train.ts:118)"];

/** The events from the start of experiment `n` to its commit; the baseline's commit is the parent itself. */
export function proposalEvents(
	n: number,
	parent: string,
	program: string,
	{ title, hypothesis, changes, diff }: ScriptedProposal,
) {
	const [added, removed] = [/^\+(?!\+\+)/gm, /^-(?!--)/gm].map((sign) => diff.match(sign)?.length ?? 0) as [
		number,
		number,
	];
	const commit = n === 1 ? parent : commitOf(n);
	return [
		{ type: "experiment.started", n, parent, program, researcher: n === 1 ? "baseline" : "search" },
		{ type: "experiment.proposed", n, title, hypothesis, changes, seconds: n === 1 ? 0 : 0.2 },
		{ type: "experiment.committed", n, commit, added, removed },
	] as const satisfies NewEvent[];
}

export function trainedEvent(n: number, { seconds, memoryGb, summary }: Trained): NewEvent {
	return { type: "experiment.trained", n, seconds: { preflight: 0.41, ...seconds }, memoryGb, summary };
}

/** What the trainer returns on a CPU. */
export function trainedBy(n: number): Trained {
	return {
		seconds: { startup: 1.12, train: BUDGET_SECONDS },
		memoryGb: 1.2 + (n % 4) * 0.1,
		summary: { steps: 1_780 + (n % 9) * 10, tokensM: 7.3, paramsM: 5.2, trainLoss: progressAt(n, BUDGET_SECONDS).loss },
	};
}

/** What the trainer reports on a CPU after so many seconds of the budget. */
export function progressAt(n: number, elapsed: number): TrainingProgress {
	const step = Math.floor(elapsed * 6);
	const noise = Math.sin(step * 12.9898 + n) * 0.05;
	return {
		step,
		loss: 3.05 + 5.3 * Math.exp(-elapsed / 22) + 0.9 * Math.exp(-elapsed / 160) + noise + (n % 3) * 0.04,
		lrMultiplier: Math.min(1, (1 - elapsed / BUDGET_SECONDS) / 0.4),
		stepMs: 166,
		tokensPerSecond: 24_600 + Math.round(noise * 1000),
		epoch: 1 + Math.floor(elapsed / 140),
		elapsed,
		remaining: BUDGET_SECONDS - elapsed,
	};
}

/** What it has reported by then, twice a second of the budget. */
export function progressUpTo(n: number, elapsed: number): TrainingProgress[] {
	return Array.from({ length: Math.floor(elapsed * 2) }, (_, i) => progressAt(n, (i + 1) / 2));
}

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
		"Most of the late gain comes while the rate falls; a longer fall should lower the final loss.",
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
		"A smooth activation passes gradient below zero, where relu squared passes none.",
	],
	[
		"WINDOW_PATTERN",
		'"SSSL"',
		'"SL"',
		"Full attention in every second layer",
		"Long-range structure in speeches spans more than the short window shows.",
	],
	[
		"EMBEDDING_LR",
		"0.2",
		"0.3",
		"Larger updates for the embeddings",
		"Rare tokens are seen a few times only, so each update must count for more.",
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
		"DEVICE_BATCH_SIZE",
		"16",
		"8",
		"Half the batch, twice the steps",
		"In five minutes the number of updates limits the loss more than the noise of each.",
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
		"A shortcut from the embedding lets deep layers use the token itself.",
	],
];

export function proposalOf(n: number): ScriptedProposal {
	const hypothesis = "The training file as it is: what every change is compared with.";
	if (n === 1) return { title: "baseline", hypothesis, changes: [], diff: "" };
	const [name, from, to, title, why] = IDEAS[(n * 7) % IDEAS.length]!;
	const file = (value: string) =>
		[
			"// The constants of the model and of its training.",
			...IDEAS.map(([other, is]) => `const ${other} = ${other === name ? value : is};`),
			"",
			"export const batch = { rows: DEVICE_BATCH_SIZE, length: 256 };",
			"",
		].join("\n");
	const path = "trainer/train.ts";
	const diff = createTwoFilesPatch(`a/${path}`, `b/${path}`, file(from), file(to), "", "", { context: 3 });
	return { title, hypothesis: why, changes: [{ name, from, to }], diff };
}

/** A commit id for a number, forty hexadecimal digits. */
export function commitOf(n: number): string {
	const random = mulberry32(n + 1);
	return Array.from({ length: 40 }, () => Math.floor(random() * 16).toString(16)).join("");
}

/** A small seeded generator (Tommy Ettinger's mulberry32), so that every machine draws the same run. */
function mulberry32(seed: number): () => number {
	let a = seed;
	return () => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}
