/** Moments of a night that are not plain training, good and bad, as events on top of the scripted night. */
import { createTwoFilesPatch } from "diff";
import { commitOf, diffOf, ideaOf, progressAt } from "./night.ts";
import type { ScriptedEngine } from "./scripted-engine.ts";

const N = 38;

export const MOMENTS: Record<string, (engine: ScriptedEngine, now: number) => void> = {
	/** A model writes the proposal; the diff is not there yet. */
	writing: (engine) => {
		engine.emit(
			{ type: "experiment.decided", n: N, status: "discard", reason: "val_bpb worse by 0.002", seconds: {} },
			{
				type: "experiment.started",
				n: N + 1,
				parent: commitOf(37),
				program: "3f2a1c9d0b",
				researcher: "anthropic",
				mode: "combine",
			},
			{ type: "tick.phase", phase: "proposing", n: N + 1 },
			{
				type: "tick.draft",
				n: N + 1,
				text: "Experiments 31 and 36 both raised a learning rate and both helped a little.\nThe matrices and the embeddings see different gradients, so the two gains may add up. I will raise",
			},
		);
	},
	/** The next proposal is ready while this one trains. */
	ahead: (engine) =>
		engine.emit({ type: "tick.draft", n: N + 1, title: ideaOf(N + 1)[3], diff: diffOf(N + 1), ahead: true }),
	approving: (engine) => {
		engine.emit({ type: "run.approval", on: true }, { type: "tick.phase", phase: "approving", n: N });
	},
	/** One whose diff is longer than any screen, with a long reason. */
	"approving-long": (engine) => {
		const before = Array.from({ length: 300 }, (_, i) => `const A_${i} = ${i};\n`).join("");
		const after = before.replaceAll(
			/= (\d+);/g,
			"= $1 * 2; // a comment that goes on beyond the end of a narrow terminal's line",
		);
		const diff = createTwoFilesPatch("a/trainer/train.ts", "b/trainer/train.ts", before, after);
		const hypothesis = Array.from({ length: 40 }, (_, i) => `reason ${i},`).join(" ");
		engine.read.diff = async () => diff;
		engine.emit(
			{ type: "experiment.proposed", n: N, title: "Double all of it", hypothesis, changes: [], seconds: 3 },
			{ type: "tick.draft", n: N, title: "Double all of it", hypothesis, diff },
			{ type: "run.approval", on: true },
			{ type: "tick.phase", phase: "approving", n: N },
		);
	},
	/** A title whose letters terminals give different widths, in each place that shows a title. */
	disputed: (engine) => {
		const title = "Raise LR 👍🏽 नमस्ते 👨‍👩‍👧 ❤️ 🇩🇪 1️⃣ กำลัง 🚀 日本 → done";
		engine.emit(
			{ type: "experiment.proposed", n: N, title, hypothesis: title, changes: [], seconds: 3 },
			{ type: "tick.draft", n: N, title, hypothesis: title, diff: diffOf(N).replace("DEPTH = 6", `"${title}"`) },
			{ type: "notice", level: "info", text: title },
			{ type: "note.added", text: title },
		);
	},
	"pausing-now": (engine) => void engine.command({ type: "pause-now" }),
	waiting: (engine, now) => {
		const note = "the API answered 529 (overloaded); trying again";
		engine.emit({ type: "tick.phase", phase: "waiting", n: N, note, until: now + 97_000 });
	},
	/** A service that says a lot about itself. */
	outage: (engine, now) => {
		const note = `the API answered 529: ${"the service is overloaded and asks for patience; ".repeat(8)}trying again`;
		engine.emit({ type: "tick.phase", phase: "waiting", n: N, note, until: now + 97_000 });
	},
	/** A line that is longer than the screen in each text, and a long reason for an experiment. */
	"long-lines": (engine) => {
		const words = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
		const log = `short\n${words}\n`;
		engine.read.log = async (_, from) => ({ text: from < 0 ? log : "", from: 0, to: log.length, size: log.length });
		engine.read.programs = async () => [
			{ version: "3f2a1c9d0b", at: "2026-11-21T22:00:00Z", text: "# Aim\n" },
			{ version: "4f2a1c9d0b", at: "2026-11-21T23:00:00Z", text: `# Aim\n\n- ${words}\n` },
		];
		engine.emit(
			{ type: "notice", level: "error", text: words },
			{ type: "experiment.proposed", n: N - 1, title: "A long reason", hypothesis: words, changes: [], seconds: 3 },
		);
	},
	/** A metric with a long name, large values and a baseline of nothing. */
	"other-metric": (engine) => {
		const metric = { name: "tokens_predicted_without_an_error", direction: "higher" } as const;
		const { tag, branch, base, lab, budgetSeconds, researcher, seed, device } = engine.state;
		engine.emit(
			{ type: "run.started", tag, branch, base, lab, metric, budgetSeconds, researcher, seed, device },
			{ type: "experiment.measured", n: 1, value: 0, seconds: 3.8 },
			{ type: "experiment.measured", n: N - 2, value: 150_000.25, seconds: 3.8 },
			{ type: "experiment.measured", n: N - 1, value: 154_320.987_654, seconds: 3.8 },
		);
	},
	/** Set aside and resumed: it starts up once more. */
	"begun-afresh": (engine) => {
		void engine.command({ type: "pause-now" });
		void engine.command({ type: "resume" });
		engine.emit({ type: "tick.phase", phase: "preflight", n: N }, { type: "tick.phase", phase: "training", n: N });
	},
	/** Any command begins the next experiment, for whoever wants to see it begin. */
	"moving-on": (engine) => {
		engine.command = async () => {
			const parent = commitOf(37);
			engine.emit(
				{ type: "experiment.decided", n: N, status: "discard", reason: "val_bpb worse by 0.002", seconds: {} },
				{ type: "experiment.started", n: N + 1, parent, program: "3f2a1c9d0b", researcher: "search" },
				{ type: "tick.phase", phase: "training", n: N + 1 },
			);
			return "the next one has begun";
		};
	},
	"program-gone": (engine) => {
		engine.emit(
			{ type: "tick.program", problem: "program.md is gone" },
			{ type: "notice", level: "warn", text: "program.md is gone; the last good version still steers" },
		);
	},
	crashed: (engine) => {
		engine.emit(
			{ type: "experiment.decided", n: N, status: "crash", reason: "loss is NaN at step 41", seconds: { train: 14 } },
			{ type: "notice", level: "error", text: `experiment ${N} crashed: loss is NaN at step 41` },
			{ type: "tick.phase", phase: "deciding", n: N },
		);
	},
	/** Where nvidia-smi tells what the GPU does. */
	"on-gpu": (engine) => {
		const gpu = { meanLoad: 0.98, peakTemperature: 66, meanWatts: 671, peakMemoryMb: 45_056, seconds: 300 };
		const seconds = { preflight: 0, startup: 1, train: 300 };
		engine.emit(
			{ type: "run.continued", budgetSeconds: 300, researcher: "search", seed: 1, device: "cuda:0" },
			{ type: "experiment.trained", n: N - 1, seconds, memoryGb: 44, summary: { gpu } },
			{
				type: "tick.training",
				n: N,
				progress: { ...progressAt(N, 120), load: 0.97, temperature: 63, watts: 689.4, memoryMb: 45_056 },
			},
		);
	},
	stopped: (engine) => engine.emit({ type: "run.stopped", reason: "38 experiments are done" }),
};
