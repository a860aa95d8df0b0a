/**
 * Sorts experiments into kinds of ideas by their titles and constants, so that a brief can say what was tried often.
 */
import type { Experiment } from "../../journal/state.ts";

const FAMILIES: [name: string, pattern: RegExp][] = [
	["learning rates", /\blr\b|learning.rate|_LR\b/i],
	["schedule", /warm.?up|warm.?down|cool.?down|schedule|cosine|decay.?ratio|anneal/i],
	["batch and sequence shape", /batch|accumul|\brows\b|sequence|context|length/i],
	["depth and width", /depth|width|layers?\b|\bdim\b|n_embd|d_model|aspect|smaller model|larger model/i],
	["attention", /attention|\bheads?\b|window|\bqk\b|kv|gqa|rotary|rope|softmax/i],
	["MLP and activation", /\bmlp\b|activation|relu|gelu|silu|swiglu|gated|expansion|ffn/i],
	["normalisation", /norm/i],
	["residual stream and embeddings", /resid|skip|embed|\bx0\b|\btied?\b|lm.?head|shift|smear/i],
	["optimizer", /adam|muon|momentum|beta|optimi[sz]er|newton|sgd|lion|ema\b|epsilon/i],
	["weight decay and regularisation", /weight.?decay|dropout|regulari[sz]|\bwd\b|z.?loss|label.?smooth/i],
	["initialisation", /\binit|std\b|initiali[sz]/i],
	["loss and logits", /soft.?cap|logit|loss|temperature|cross.?entropy/i],
	["precision and speed", /bf16|precision|faster|throughput|compile|kernel/i],
	["simplification", /remove|simplif|drop\b|delete|without/i],
];

export interface Family {
	name: string;
	tried: number;
	kept: number;
}

/** The families an experiment belongs to; `other` when none matches. */
function familiesOf({ title, changes }: Experiment): string[] {
	const text = [title, ...changes.map((change) => change.name)].join(" ").replaceAll("_", " ");
	const found = FAMILIES.filter(([, pattern]) => pattern.test(text)).map(([name]) => name);
	return found.length > 0 ? found : ["other"];
}

/** How often each family was tried and kept, the most tried first. */
export function tallyFamilies(experiments: readonly Experiment[]): Family[] {
	const families = new Map<string, Family>(FAMILIES.map(([name]) => [name, { name, tried: 0, kept: 0 }]));
	for (const experiment of experiments) {
		for (const name of familiesOf(experiment)) {
			const family = families.get(name) ?? { name, tried: 0, kept: 0 };
			families.set(name, family);
			family.tried++;
			if (experiment.status === "keep") family.kept++;
		}
	}
	return [...families.values()].toSorted((a, b) => b.tried - a.tried);
}
