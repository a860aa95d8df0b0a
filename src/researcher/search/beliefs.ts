/**
 * What the history says about moving each constant from where it stands. Every experiment is a noisy measurement of the gain
 * of its changes; with the present values as the origin, gains are modelled as a sum over constants of a slope and a
 * curvature per step (numbers) or an offset per alternative (booleans, names). Only differences between a child and
 * its parent enter, so it does not matter that the base has moved since.
 */
import type { Axis } from "./axis.ts";
import type { Value } from "./constants.ts";
import { topicOf } from "./knowledge.ts";
import type { Assignment, Trial } from "./lineage.ts";
import type { Random } from "./random.ts";
import { fit, type Observation, type Posterior, type Prior } from "./surrogate.ts";

/** One constant set to another value. */
export interface Move {
	axis: Axis;
	value: Value;
	text: string;
}

export interface Beliefs {
	/** One plausible gain of each move, drawn at random; in units of a typical experiment's effect. */
	draw(random: Random): (move: Move) => number;
	/** The gain to expect of a move, in the same units. */
	expect(move: Move): number;
	/** How many measured experiments moved this constant. */
	evidence(name: string): number;
	/** How strongly crashes advise against a move: 0 for not at all, 1 for one crash right there or before it. */
	crashRisk(move: Move): number;
	/** The gain of a trial's constants in the metric, positive when better; undefined when it was not measured. */
	gainOf(trial: Trial): number | undefined;
}

const SLOPE: Prior = { mean: 0, sd: 1 };
/** Present values are somebody's good guess, and the further from it, the worse. */
const CURVATURE: Prior = { mean: -0.35, sd: 0.25 };
const OFFSET: Prior = { mean: -0.3, sd: 1 };
/** The expected gain of a step the way a short run leans, at its shortest. */
const LEAN = 0.6;
/** A run of this length leans neither way, one of a sixteenth fully: what is known comes from longer runs. */
const LONG_RUN_SECONDS = 320;
/** Seed luck and everything the model leaves out, in typical effects; grows with the age of the evidence. */
const NOISE = 0.4;
const NOISE_PER_TRIAL = 0.005;
/** A diverged run says "bad", not how bad. */
const GAIN_LIMIT = 3;
const STEPS_LIMIT = 6;

export function form(
	axes: readonly Axis[],
	trials: readonly Trial[],
	present: Assignment,
	direction: "lower" | "higher",
	budgetSeconds: number,
): Beliefs {
	const shortness = Math.min(1, Math.max(0, Math.log2(LONG_RUN_SECONDS / budgetSeconds) / 4));
	const priors: Prior[] = [];
	const firstIndex = new Map<string, number>();
	for (const { constant, coordinate } of axes) {
		firstIndex.set(constant.name, priors.length);
		const { weight = 1, shortRun = 0 } = topicOf(constant.name) ?? {};
		if (coordinate) {
			const slope = SLOPE.mean + LEAN * shortRun * shortness;
			priors.push({ mean: slope, sd: SLOPE.sd * weight }, { mean: CURVATURE.mean * weight, sd: CURVATURE.sd * weight });
		} else for (const option of constant.options!) if (option !== constant.value) priors.push(OFFSET);
	}
	/** The features of one constant having this value instead of its present one. */
	const featuresOf = ({ constant, coordinate }: Axis, value: Value | undefined): [number, number][] => {
		const index = firstIndex.get(constant.name)!;
		if (coordinate) {
			const steps = stepsBetween(coordinate, constant.value, value);
			return steps === 0
				? []
				: [
						[index, steps],
						[index + 1, steps ** 2],
					];
		}
		const at = constant.options!.filter((option) => option !== constant.value).indexOf(value!);
		return at < 0 ? [] : [[index + at, 1]];
	};

	const gainOf = ({ experiment, parentValue, pure }: Trial) => {
		if (!pure || experiment.value === undefined || parentValue === undefined || experiment.status === "crash")
			return undefined;
		return direction === "lower" ? parentValue - experiment.value : experiment.value - parentValue;
	};
	const measured = trials.flatMap((trial) => {
		const gain = gainOf(trial);
		return gain === undefined ? [] : [{ trial, gain }];
	});
	const scale = median(measured.map(({ gain }) => Math.abs(gain))) || 1;
	const count = new Map<string, number>();
	const observations: Observation[] = measured.map(({ trial, gain }, i) => {
		const features: [number, number][] = [];
		for (const axis of axes) {
			const { name } = axis.constant;
			const [before, after] = [trial.before.get(name), trial.after.get(name)];
			if (before === after) continue;
			count.set(name, (count.get(name) ?? 0) + 1);
			features.push(...featuresOf(axis, after));
			for (const [index, value] of featuresOf(axis, before)) features.push([index, -value]);
		}
		return {
			features,
			gain: Math.max(-GAIN_LIMIT, Math.min(GAIN_LIMIT, gain / scale)),
			noise: NOISE + NOISE_PER_TRIAL * (measured.length - i),
		};
	});
	const posterior: Posterior = fit(priors, observations);
	const gainUnder = (weights: Float64Array) => (move: Move) =>
		featuresOf(move.axis, move.value).reduce((sum, [index, x]) => sum + x * weights[index]!, 0);
	return {
		draw: (random) => gainUnder(posterior.sample(random)),
		expect: gainUnder(posterior.mean),
		evidence: (name) => count.get(name) ?? 0,
		crashRisk: (move) => crashRisk(move, trials, present),
		gainOf,
	};
}

/** Crashes with this constant at that value or on the way to it, each shared by the constants it changed. */
function crashRisk({ axis, value }: Move, trials: readonly Trial[], present: Assignment): number {
	const { name } = axis.constant;
	const reached = new Set<Value | undefined>();
	let risk = 0;
	for (const { experiment, before, after } of trials) {
		const [from, to] = [before.get(name), after.get(name)];
		if (experiment.status !== "crash") {
			reached.add(to);
			continue;
		}
		if (from === to || experiment.changes.length === 0) continue;
		const now = present.get(name);
		const beyond =
			typeof value === "number" && typeof to === "number" && typeof from === "number" && typeof now === "number"
				? to > from
					? value >= to && now < to
					: value <= to && now > to
				: value === to;
		if (beyond) risk += 1 / experiment.changes.length;
	}
	return reached.has(value) ? risk / 4 : risk;
}

function stepsBetween(coordinate: (value: number) => number, from: Value, to: Value | undefined): number {
	if (typeof from !== "number" || typeof to !== "number") return 0;
	const steps = coordinate(to) - coordinate(from);
	return Number.isFinite(steps) ? Math.max(-STEPS_LIMIT, Math.min(STEPS_LIMIT, steps)) : 0;
}

function median(values: number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[sorted.length >> 1] ?? 0;
}
