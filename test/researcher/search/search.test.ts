/** The search: valid proposals, and better results than random changes on a simulated objective. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { versionOf } from "../../../src/program/program.ts";
import type { Brief, ProposeOptions } from "../../../src/researcher/researcher.ts";
import { readConstants, rewrite } from "../../../src/researcher/search/constants.ts";
import { createScale } from "../../../src/researcher/search/parameter-scale.ts";
import { createRandom } from "../../../src/researcher/search/random.ts";
import { createSearch, proposeFrom } from "../../../src/researcher/search/search.ts";
import { type Objective, record, simulateRun, TRAIN, valley, valuesOf } from "./simulated-run.ts";

function brief(fields: Partial<Brief> = {}): Brief {
	return {
		n: 2,
		program: { version: "p1", text: "" },
		files: [{ path: "train.ts", text: TRAIN }],
		metric: { name: "val_bpb", direction: "lower" },
		budgetSeconds: 300,
		history: [record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 1.9, title: "baseline" })],
		best: 1,
		seed: 1,
		...fields,
	};
}

function options(notices: string[] = [], signal = new AbortController().signal): ProposeOptions {
	return { signal, onDraft() {}, onWait() {}, onNotice: (_, text) => notices.push(text) };
}

/** The control of the control: a random step of a random constant from the best file so far. */
function proposeAtRandom({ seed, n, files }: Brief) {
	const random = createRandom(seed, n, 1);
	const { path, text } = files[0]!;
	const constants = readConstants(path, text);
	for (;;) {
		const constant = constants[Math.floor(random.uniform() * constants.length)]!;
		const lookup = (name: string) => constants.find((c) => c.name === name)?.value;
		const adjustments = createScale(constant).adjustments([-2, -1, -0.5, 0.5, 1, 2], 2, lookup);
		const adjustment = adjustments[Math.floor(random.uniform() * adjustments.length)];
		if (!adjustment) continue;
		const changes = [{ name: constant.name, from: constant.text, to: adjustment.text }];
		const edited = rewrite(path, text, [{ constant, text: adjustment.text }]);
		return { title: "", hypothesis: "", changes, files: [{ path, text: edited }] };
	}
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test("thirty experiments of the search come further than ninety at random, through noise", () => {
	const outcome = (propose: Parameters<typeof simulateRun>[0], experiments: number) =>
		mean(
			[1, 2, 3, 4, 5, 6].map((seed) => {
				const noise = (n: number) => 0.001 * createRandom(seed, n, 2).normal();
				return valley(valuesOf(simulateRun(propose, { experiments, seed, noise }).text)) as number;
			}),
		);
	const searched = outcome(proposeFrom, 30);
	const random = outcome(proposeAtRandom, 90);
	assert.ok(searched < random, `search ${searched} against random ${random}`);
});

test("the same brief gives the same proposal, another seed another run", () => {
	const titles = (seed: number) => simulateRun(proposeFrom, { experiments: 15, seed }).proposals.map((p) => p.title);
	assert.deepEqual(titles(1), titles(1));
	assert.notDeepEqual(titles(1), titles(2));
});

test("500 proposals, and no file twice", () => {
	const { texts } = simulateRun(proposeFrom, { experiments: 501, seed: 3 });
	const distinct = new Set(texts.map((text) => JSON.stringify([...valuesOf(text)])));
	assert.equal(distinct.size, 501);
});

test("a file of one constant is searched ever more finely instead of the search ending", () => {
	const notices: string[] = [];
	const text = "const LR = 0.02; // 0.001..0.1\n";
	const objective: Objective = (values) => (Math.log(values.get("LR") as number) - Math.log(0.033)) ** 2;
	const run = simulateRun(proposeFrom, { experiments: 100, seed: 1, text, objective });
	assert.equal(run.proposals.length, 99);
	assert.ok(run.texts.every((t) => Number(valuesOf(t).get("LR")) >= 0.001 && Number(valuesOf(t).get("LR")) <= 0.1));
	const last = Number(valuesOf(run.text).get("LR"));
	assert.ok(Math.abs(last - 0.033) < 0.001, String(last));
	const stuck = brief({
		files: [{ path: "train.ts", text: run.text }],
		history: run.history,
		best: run.best,
		n: 101,
	});
	return createSearch()
		.propose(stuck, options(notices))
		.then(() => assert.match(notices.join("\n"), /finer and wider/));
});

test("where everything allowed has been tried, the search says so and waits for program.md to change", async () => {
	const text = "const QK_NORM = true;\n";
	const run = simulateRun(proposeFrom, { experiments: 9, seed: 1, text, objective: () => 1 });
	assert.equal(run.proposals.length, 1);
	const notices: string[] = [];
	const controller = new AbortController();
	const waiting = createSearch().propose(
		brief({ files: [{ path: "train.ts", text }], history: run.history, n: 3 }),
		options(notices, controller.signal),
	);
	assert.match(notices.at(-1)!, /nothing left to try/);
	controller.abort(new Error("program.md changed"));
	await assert.rejects(waiting, /program\.md changed/);
});

test("one or two constants change at a time, and comments and layout stay as they are", () => {
	const { proposals, texts } = simulateRun(proposeFrom, { experiments: 60, seed: 4 });
	const withoutLiterals = (text: string) =>
		readConstants("train.ts", text)
			.toReversed()
			.reduce((rest, { start, end }) => `${rest.slice(0, start)}…${rest.slice(end)}`, text);
	for (const [i, { changes }] of proposals.entries()) {
		assert.ok(changes.length === 1 || changes.length === 2);
		assert.equal(withoutLiterals(texts[i + 1]!), withoutLiterals(TRAIN));
	}
});

test("every change keeps to what the comments allow", () => {
	for (const text of simulateRun(proposeFrom, { experiments: 120, seed: 5 }).texts) {
		const value = valuesOf(text);
		const number = (name: string) => value.get(name) as number;
		assert.ok(number("DEPTH") >= 1 && number("DEPTH") <= 12 && Number.isInteger(number("DEPTH")));
		assert.ok([32, 64, 128].includes(number("HEAD_DIM")));
		assert.ok(Number.isInteger(Math.log2(number("DEVICE_BATCH_SIZE"))) && number("DEVICE_BATCH_SIZE") <= 64);
		assert.ok(number("WARMDOWN_RATIO") >= 0 && number("WARMDOWN_RATIO") <= 1);
	}
});

test("limits between constants hold whichever side changes", () => {
	const text = `const N_HEAD = 4; // 1..16
const N_KV_HEAD = 2; // 1..4, must divide N_HEAD
const N_EMBD = 128; // 32..512, multiple of N_HEAD
`;
	for (const edited of simulateRun(proposeFrom, { experiments: 40, seed: 9, text, objective: () => 1 }).texts) {
		const number = (name: string) => valuesOf(edited).get(name) as number;
		assert.equal(number("N_HEAD") % number("N_KV_HEAD"), 0, edited);
		assert.equal(number("N_EMBD") % number("N_HEAD"), 0, edited);
	}
});

test("a divisor changes together with what it divides where neither can change alone", () => {
	const text = "const N_HEAD = 4; // 4..7\nconst N_KV_HEAD = 4; // 4..7, must divide N_HEAD\n";
	const { texts } = simulateRun(proposeFrom, { experiments: 4, seed: 1, text, objective: () => 1 });
	assert.deepEqual(texts.map((edited) => [...valuesOf(edited).values()]).sort(), [
		[4, 4],
		[5, 5],
		[6, 6],
		[7, 7],
	]);
});

test("where zero is allowed, switching off is one of the options", () => {
	const text = "const WEIGHT_DECAY = 0.1; // 0..0.5\n";
	const { texts } = simulateRun(proposeFrom, { experiments: 12, seed: 1, text, objective: () => 1 });
	assert.ok(texts.some((edited) => valuesOf(edited).get("WEIGHT_DECAY") === 0));
});

test("the search finds its way through the training file that comes with the repository", () => {
	const text = readFileSync(new URL("../../../trainer/train.ts", import.meta.url), "utf8");
	const { proposals, texts } = simulateRun(proposeFrom, { experiments: 60, seed: 1, text, objective: () => 1 });
	assert.equal(proposals.length, 59);
	assert.ok(new Set(proposals.flatMap((p) => p.changes.map((change) => change.name))).size > 20);
	assert.equal(new Set(texts).size, 60);
});

test("a constant that program.md lists under Leave alone is left alone", () => {
	const program = "leave alone: `DEPTH`\n\n## Leave alone\n- `*_LR`\n";
	const { proposals } = simulateRun(proposeFrom, { experiments: 120, seed: 6, program });
	const changed = new Set(proposals.flatMap((p) => p.changes.map((c) => c.name)));
	assert.ok(changed.has("N_EMBD"));
	for (const name of ["DEPTH", "MATRIX_LR", "EMBEDDING_LR"]) assert.ok(!changed.has(name), name);
});

test("limits in program.md are kept to, of numbers and of options", () => {
	const program = 'N_EMBD: at most 256\nDEPTH: 2..4\nACTIVATION: "gelu" | "silu"\n';
	const values = simulateRun(proposeFrom, { experiments: 80, seed: 7, program }).texts.map(valuesOf);
	for (const value of values) {
		assert.ok((value.get("N_EMBD") as number) <= 256);
		assert.ok((value.get("DEPTH") as number) >= 2 && (value.get("DEPTH") as number) <= 4);
		assert.notEqual(value.get("ACTIVATION"), "relu2");
	}
	assert.ok(values.some((value) => value.get("ACTIVATION") === "silu"));
});

test("a constant that program.md says to try first is changed most of the time, in the human's note as well", () => {
	const share = (fields: Partial<Brief>) =>
		mean(
			Array.from({ length: 40 }, (_, i) =>
				Number(proposeFrom(brief({ seed: i, ...fields }))!.changes.some((c) => c.name === "LOGIT_SOFTCAP")),
			),
		);
	assert.ok(share({}) < 0.3);
	assert.ok(share({ program: { version: "p2", text: "## Try first\n- LOGIT_SOFTCAP\n" } }) > 0.6);
	assert.ok(share({ notes: [{ at: "2026-11-21T22:00:00.000Z", text: "try first: LOGIT_SOFTCAP" }] }) > 0.6);
});

test("what was read as constraints is reported once a version, with what was not", async () => {
	const search = createSearch();
	const noticesFor = async (text: string, n: number, notes: Brief["notes"] = []) => {
		const notices: string[] = [];
		const program = { version: versionOf(text), text };
		await search.propose(brief({ program, n, notes }), options(notices));
		return notices;
	};
	const prose = "prose is for language models";
	const lines = "leave alone: DEPTH\nMATRIX_LR: 0.001..0.05\n## Try first\n- LOGIT_SOFTCAP\n";
	assert.deepEqual(await noticesFor(lines, 2), [
		`program.md: keeps MATRIX_LR to 0.001..0.05; leaves alone DEPTH; tries LOGIT_SOFTCAP first; ${prose}`,
	]);
	assert.deepEqual(await noticesFor(lines, 3), []);
	assert.deepEqual(await noticesFor("Do not change DEPTH.", 4), [
		`program.md: no constraints for the search; not read as constraints: "Do not change DEPTH."; ${prose}`,
	]);
	assert.deepEqual(await noticesFor("Have fun.", 5), [`program.md: no constraints for the search; ${prose}`]);
	const note = { at: "2026-11-21T22:00:00.000Z", text: "no more depth, please" };
	assert.match((await noticesFor("Have fun.", 6, [note]))[0]!, /not read as constraints: "no more depth, please"/);
});

test("a direction that gained is mostly gone further, one that lost mostly turned round", () => {
	const followed = (gain: number) =>
		mean(
			Array.from({ length: 40 }, (_, i) => {
				const text = TRAIN.replace("MATRIX_LR = 0.005", gain > 0 ? "MATRIX_LR = 0.0075" : "MATRIX_LR = 0.005");
				const history = [
					record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 1.9 }),
					record({
						n: 2,
						parent: "c0",
						commit: "c2",
						status: gain > 0 ? "keep" : "discard",
						value: 1.9 - gain,
						changes: [{ name: "MATRIX_LR", from: "0.005", to: "0.0075" }],
					}),
				];
				const program = { version: "p1", text: "only: MATRIX_LR" };
				const files = [{ path: "train.ts", text }];
				const next = proposeFrom(brief({ seed: i, n: 3, history, best: gain > 0 ? 2 : 1, files, program }))!;
				return Number(Number(next.changes[0]!.to) > Number(next.changes[0]!.from));
			}),
		);
	assert.ok(followed(0.01) > 0.6, String(followed(0.01)));
	assert.ok(followed(-0.01) < 0.4, String(followed(-0.01)));
});

test("a crash closes the way beyond it", () => {
	const history = [
		record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 1.9 }),
		record({ n: 2, parent: "c0", commit: "c2", status: "crash", changes: [{ name: "DEPTH", from: "4", to: "6" }] }),
	];
	const program = { version: "p1", text: "try first: DEPTH" };
	for (let seed = 0; seed < 40; seed++) {
		const { changes } = proposeFrom(brief({ seed, n: 3, history, program }))!;
		for (const { name, to } of changes) assert.ok(name !== "DEPTH" || Number(to) < 6, to);
	}
});

test("what is training while the next is drafted is not proposed again", () => {
	const first = proposeFrom(brief())!;
	const pending = [record({ n: 2, parent: "c0", commit: "c2", ...first })];
	assert.notDeepEqual(proposeFrom(brief({ pending }))!.changes, first.changes);
});

test("what a rewrite of the code gained is not credited to a constant that changed with it", () => {
	const rewrite = (fields: object) =>
		record({
			n: 2,
			parent: "c0",
			commit: "c2",
			status: "discard",
			value: 1.5,
			researcher: "anthropic",
			changes: [{ name: "DEPTH", from: "4", to: "3" }],
			...fields,
		});
	const next = (fields: object) => {
		const history = [record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 1.9 }), rewrite(fields)];
		return proposeFrom(brief({ n: 3, history, program: { version: "p", text: "only: DEPTH" } }))!;
	};
	assert.match(next({ added: 1, removed: 1 }).hypothesis, /in experiment 2/);
	assert.doesNotMatch(next({ added: 40, removed: 12 }).hypothesis, /in experiment 2/);
});

test("after a revert, experiments on the abandoned base do not block the same change on the old one", () => {
	const change = { name: "QK_NORM", from: "false", to: "true" };
	const history = [
		record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 1.9 }),
		record({
			n: 2,
			parent: "c0",
			commit: "c2",
			status: "discard",
			value: 1.8,
			changes: [{ name: "DEPTH", from: "4", to: "5" }],
		}),
		record({ n: 3, parent: "c2", commit: "c3", status: "discard", value: 1.81, changes: [change] }),
	];
	const program = { version: "p1", text: "only: QK_NORM" };
	assert.deepEqual(proposeFrom(brief({ n: 4, history, program }))!.changes, [change]);
});

test("the title says what changes and the hypothesis why, on one line each", () => {
	for (const { title, hypothesis } of simulateRun(proposeFrom, { experiments: 60, seed: 8 }).proposals) {
		assert.match(title, /^(Raise|Lower|Switch) [A-Z]/);
		assert.match(hypothesis, /^[A-Z][^\n\t]{20,}\.$/);
	}
});

test("a file without constants is said to have none", async () => {
	const notices: string[] = [];
	const controller = new AbortController();
	const files = [{ path: "train.py", text: "export {};\n" }];
	const waiting = createSearch().propose(brief({ files }), options(notices, controller.signal));
	assert.match(notices.at(-1)!, /train\.py has no constants that the search can read/);
	controller.abort(new Error("stopped"));
	await assert.rejects(waiting, /stopped/);
});

test("a file that cannot be read is a notice and a wait, not an end", async () => {
	const notices: string[] = [];
	const controller = new AbortController();
	const broken = brief({ files: [{ path: "train.ts", text: "const DEPTH = ;\n" }] });
	const waiting = createSearch().propose(broken, options(notices, controller.signal));
	assert.match(notices[0]!, /cannot read train\.ts:1: /);
	controller.abort(new Error("stopped"));
	await assert.rejects(waiting, /stopped/);
});

test("ten thousand experiments of history are taken in", () => {
	const history = [record({ n: 1, parent: "c0", commit: "c0", status: "keep", value: 1.9 })];
	for (let n = 2; n <= 10_000; n++) {
		const changes = [{ name: "MATRIX_LR", from: "0.005", to: String(n / 1e6) }];
		history.push(record({ n, parent: "c0", commit: `c${n}`, status: "discard", value: 1.9 + n / 1e6, changes }));
	}
	assert.ok(proposeFrom(brief({ n: 10_001, history })));
});
