/**
 * What the history says about setting each constant to another value. Every experiment is a noisy measurement of the
 * gain of its changes. With the present values as the origin, gains are modelled as a sum over constants of a slope
 * and a curvature per step (numbers) or an offset per alternative (booleans, names). Only differences between a child
 * and its parent enter, so it does not matter that the base has moved since.
 */
import { type Better, gain } from "../../journal/metric.ts";
import type { Value } from "./constants.ts";
import type { Adjustment, ParameterScale } from "./parameter-scale.ts";
import { priorOf } from "./priors.ts";
import type { RandomSource } from "./random.ts";
import { fitRegression, type Normal, type Observation } from "./surrogate.ts";
import type { Assignment, Trial } from "./trials.ts";

/** Gains are in units of a typical experiment's effect unless stated otherwise; positive is better. */
export interface GainPosterior {
	/** One sample of the gain of each adjustment. */
	draw(random: RandomSource): (adjustment: Adjustment) => number;
	/** The expected gain of an adjustment. */
	expect(adjustment: Adjustment): number;
	/** How many measured experiments changed this constant. */
	evidence(name: string): number;
	/**
	 * How strongly crashes advise against an adjustment: 0 for not at all, 1 for one crash at that value or before it.
	 */
	crashRisk(adjustment: Adjustment): number;
	/** The gain of a trial's constants in units of the metric; undefined when it was not measured. */
	gainOf(trial: Trial): number | undefined;
}

const SLOPE: Normal = { mean: 0, sd: 1 };
/** The prior takes the present values for good ones: the further a value is from them, the worse. */
const CURVATURE: Normal = { mean: -0.35, sd: 0.25 };
const OFFSET: Normal = { mean: -0.3, sd: 1 };
/** The expected gain of a step in the direction that suits short runs, for the shortest runs. */
const SHORT_RUN_GAIN = 0.6;
/** Published values come from longer runs: no such gain is expected from here on, all of it at a sixteenth of this. */
const LONG_RUN_SECONDS = 320;
/** The seed's effect and what the model leaves out, in typical effects; it grows with the age of the evidence. */
const NOISE = 0.4;
const NOISE_PER_TRIAL = 0.005;
/** A diverged run says that a value is bad, not how bad. */
const GAIN_LIMIT = 3;
const STEPS_LIMIT = 6;

export function fitPosterior(
	parameters: readonly ParameterScale[],
	trials: readonly Trial[],
	present: Assignment,
	metric: Better,
	budgetSeconds: number,
): GainPosterior {
	const shortness = Math.min(1, Math.max(0, Math.log2(LONG_RUN_SECONDS / budgetSeconds) / 4));
	const priors: Normal[] = [];
	const firstIndex = new Map<string, number>();
	for (const { constant, coordinate } of parameters) {
		firstIndex.set(constant.name, priors.length);
		const { weight = 1, shortRun = 0 } = priorOf(constant.name) ?? {};
		if (coordinate) {
			const slope = SLOPE.mean + SHORT_RUN_GAIN * shortRun * shortness;
			priors.push({ mean: slope, sd: SLOPE.sd * weight }, { mean: CURVATURE.mean * weight, sd: CURVATURE.sd * weight });
		} else for (const option of constant.options!) if (option !== constant.value) priors.push(OFFSET);
	}
	/** The features of one constant having this value instead of its present one. */
	const featuresOf = ({ constant, coordinate }: ParameterScale, value: Value | undefined): [number, number][] => {
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
		return gain(metric, parentValue, experiment.value);
	};
	const measured = trials.flatMap((trial) => {
		const gained = gainOf(trial);
		return gained === undefined ? [] : [{ trial, gained }];
	});
	const typicalEffect = median(measured.map(({ gained }) => Math.abs(gained))) || 1;
	const count = new Map<string, number>();
	const observations: Observation[] = measured.map(({ trial, gained }, i) => {
		const features: [number, number][] = [];
		for (const parameter of parameters) {
			const { name } = parameter.constant;
			const [before, after] = [trial.before.get(name), trial.after.get(name)];
			if (before === after) continue;
			count.set(name, (count.get(name) ?? 0) + 1);
			features.push(...featuresOf(parameter, after));
			for (const [index, value] of featuresOf(parameter, before)) features.push([index, -value]);
		}
		return {
			features,
			gain: Math.max(-GAIN_LIMIT, Math.min(GAIN_LIMIT, gained / typicalEffect)),
			noise: NOISE + NOISE_PER_TRIAL * (measured.length - i),
		};
	});
	const regression = fitRegression(priors, observations);
	const gainUnder =
		(weights: Float64Array) =>
		({ parameter, value }: Adjustment) =>
			featuresOf(parameter, value).reduce((sum, [index, x]) => sum + x * weights[index]!, 0);
	return {
		draw: (random) => gainUnder(regression.sample(random)),
		expect: gainUnder(regression.mean),
		evidence: (name) => count.get(name) ?? 0,
		crashRisk: (adjustment) => crashRisk(adjustment, trials, present),
		gainOf,
	};
}

/** Crashes with this constant at that value or on the way to it, each shared by the constants it changed. */
function crashRisk({ parameter, value }: Adjustment, trials: readonly Trial[], present: Assignment): number {
	const { name } = parameter.constant;
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
