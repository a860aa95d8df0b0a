/** Situations of a run other than plain training, on top of a scripted run with 37 decided experiments. */
import { createTwoFilesPatch } from "diff";
import { type ScriptedEngine, settled } from "./scripted-engine.ts";
import {
	commitOf,
	progressAt,
	proposalEvents,
	proposalOf,
	type ScriptedProposal,
	type ScriptedRun,
	trainedBy,
} from "./scripted-run.ts";

export interface Scenario {
	/** How the run before it differs from the plain one. */
	run?: Partial<ScriptedRun>;
	/** Leads the engine, whose loop is not started yet, into the situation. Plain training if absent. */
	play?(engine: ScriptedEngine): Promise<void> | void;
}

/** The experiment in flight. */
const N = 38;
const PROGRAM = "3f2a1c9d0b";

/** The next experiment trains; `share` of its budget is used. */
export async function playTraining(engine: ScriptedEngine, share = 0.4): Promise<void> {
	engine.run();
	await settled();
	engine.train(share);
}

/** A proposal function with another answer for one experiment. */
function withProposal(n: number, proposal: Partial<ScriptedProposal>): Pick<ScriptedRun, "proposal"> {
	return { proposal: (other) => ({ ...proposalOf(other), ...(other === n ? proposal : {}) }) };
}

const LONG_TEXT = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");

const DISPUTED = "Raise LR 👍🏽 नमस्ते 👨‍👩‍👧 ❤️ 🇩🇪 1️⃣ กำลัง 🚀 日本 → done";

export const SCENARIOS = {
	/** A model writes the proposal; the diff is not there yet. */
	writing: {
		play: (engine) => {
			startByModel(engine);
			const text =
				"Experiments 32 and 35 came close to the base they were built on.\n" +
				"A smaller batch and larger updates for the embeddings change different things, so both may help. I will";
			engine.emit({ type: "tick.phase", phase: "proposing", n: N }, { type: "tick.draft", n: N, text });
		},
	},
	/** The next proposal is ready while this one trains. */
	ahead: {
		play: async (engine) => {
			await playTraining(engine);
			const { title, diff } = proposalOf(N + 1);
			engine.emit({ type: "tick.draft", n: N + 1, title, diff, ahead: true });
		},
	},
	approving: { play: playApproving },
	/** The diff is longer than any screen, and so is the reason. */
	"approving-long": {
		run: withProposal(N, {
			title: "Double all of it",
			hypothesis: Array.from({ length: 40 }, (_, i) => `reason ${i},`).join(" "),
			diff: longDiff(),
		}),
		play: playApproving,
	},
	/** A title whose letters terminals give different widths, in each place that shows a title. */
	"disputed-widths": {
		run: withProposal(N, {
			title: DISPUTED,
			hypothesis: DISPUTED,
			diff: proposalOf(N).diff.replace("DEPTH = 6", `"${DISPUTED}"`),
		}),
		play: async (engine) => {
			await playTraining(engine);
			engine.emit({ type: "notice", level: "info", text: DISPUTED });
			await engine.command({ type: "note", text: DISPUTED });
		},
	},
	"pausing-now": {
		play: async (engine) => {
			await playTraining(engine);
			await engine.command({ type: "pause-now" });
			await settled();
		},
	},
	/** Interrupted by a pause and resumed: the trainer starts again. */
	resumed: {
		play: async (engine) => {
			await playTraining(engine);
			await engine.command({ type: "pause-now" });
			await settled();
			await engine.command({ type: "resume" });
		},
	},
	waiting: { play: (engine) => playWaiting(engine, "the API answered 529 (overloaded); trying again") },
	/** The service's own message is longer than the panel. */
	outage: {
		play: (engine) => {
			const message = "the service is overloaded and asks for patience; ".repeat(8);
			playWaiting(engine, `the API answered 529: ${message}trying again`);
		},
	},
	/** Lines that are longer than the screen in each text, and an experiment with a long reason. */
	"long-lines": {
		run: withProposal(N - 1, { title: "A long reason", hypothesis: LONG_TEXT }),
		play: async (engine) => {
			const log = `short\n${LONG_TEXT}\n`;
			const size = log.length;
			engine.read.log = async (_, from) => ({ text: from < 0 ? log : "", from: 0, to: size, size });
			engine.read.programs = async () => [
				{ version: PROGRAM, at: "2026-11-21T22:00:00Z", text: "# Aim\n" },
				{ version: commitOf(1).slice(0, 10), at: "2026-11-21T23:00:00Z", text: `# Aim\n\n- ${LONG_TEXT}\n` },
			];
			await playTraining(engine);
			engine.emit({ type: "notice", level: "error", text: LONG_TEXT });
		},
	},
	/** A metric with a long name, large values and a baseline of zero. */
	"other-metric": {
		run: {
			metric: { name: "tokens_predicted_without_an_error", direction: "higher" },
			value: (n) => (n === 1 ? 0 : n === N - 1 ? 154_320.987_654 : 150_000.25 - n),
		},
	},
	"program-gone": {
		play: async (engine) => {
			await playTraining(engine);
			const text = `program.md is gone; version ${engine.state.program.version} stays in use`;
			engine.emit({ type: "tick.program", problem: "program.md is gone" }, { type: "notice", level: "warn", text });
		},
	},
	crashed: {
		play: async (engine) => {
			await playTraining(engine);
			await engine.crash("loss is NaN at step 41");
		},
	},
	/** nvidia-smi reports what the GPU does. */
	"on-gpu": {
		run: {
			device: "cuda:0",
			trained: (n) => {
				const gpu = { meanLoad: 0.98, peakTemperature: 66, meanWatts: 671, peakMemoryMb: 45_056, seconds: 300 };
				const { seconds, summary } = trainedBy(n);
				return { seconds, memoryGb: 44, summary: { ...summary, gpu } };
			},
		},
		play: async (engine) => {
			await playTraining(engine);
			engine.report({ ...progressAt(N, 120.5), load: 0.97, temperature: 63, watts: 689.4, memoryMb: 45_056 });
		},
	},
	stopped: { play: (engine) => engine.end("37 experiments done") },
	/** The run has started and nothing else has happened. */
	starting: { run: { decided: 0 }, play: () => {} },
} satisfies Record<string, Scenario>;

async function playApproving(engine: ScriptedEngine): Promise<void> {
	await engine.command({ type: "approval", on: true });
	engine.run();
	await settled();
}

/** A model that proposes experiment 38 waits for its service. */
function playWaiting(engine: ScriptedEngine, note: string): void {
	startByModel(engine);
	engine.emit({ type: "tick.phase", phase: "waiting", n: N, note, until: Date.now() + 97_000 });
}

function startByModel(engine: ScriptedEngine): void {
	const parent = engine.state.experiments[engine.state.best - 1]!.commit!;
	const [started] = proposalEvents(N, parent, engine.state.program.version, proposalOf(N));
	engine.emit({ ...started, researcher: "anthropic", mode: "combine" });
}

function longDiff(): string {
	const before = Array.from({ length: 300 }, (_, i) => `const A_${i} = ${i};\n`).join("");
	const after = before.replaceAll(
		/= (\d+);/g,
		"= $1 * 2; // a comment that continues beyond the end of a narrow terminal's line",
	);
	return createTwoFilesPatch("a/trainer/train.ts", "b/trainer/train.ts", before, after);
}
