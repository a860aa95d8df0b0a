/** Moments of a night that are not plain training, good and bad, as events on top of the scripted night. */
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
	"pausing-now": (engine) => void engine.command({ type: "pause-now" }),
	waiting: (engine, now) => {
		const note = "the API answered 529 (overloaded); trying again";
		engine.emit({ type: "tick.phase", phase: "waiting", n: N, note, until: now + 97_000 });
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
