/**
 * Which buffer a name stands for. An optimizer makes its buffers when it is called, named after the weights: called for
 * each of two programs, it makes two of each, and the second program would silently start from a fresh state.
 */
import { fail } from "./errors.ts";
import type { Parameter } from "./parameter.ts";
import type { Update } from "./plan.ts";

/** What an open program updates. */
interface Claim {
	buffers: ReadonlyMap<string, Parameter>;
	weights: readonly Parameter[];
}

const claims = new Set<Claim>();

/**
 * Notes the buffers and weights that a program updates; what it returns takes the note back, when the program is
 * closed.
 * @throws TensorError when this program, or an open one that steps the same weights, updates another buffer of the same
 * name.
 */
export function claimBuffers(updates: readonly Update[]): () => void {
	const targets = updates.map(({ target }) => target);
	const weights = targets.filter(({ trainable }) => trainable);
	const buffers = new Map<string, Parameter>();
	const stepped = new Set(weights);
	const related = [...claims].filter((claim) => claim.weights.some((weight) => stepped.has(weight)));
	for (const target of targets) {
		const { name } = target;
		if (target.trainable) continue;
		const others = [buffers.get(name), ...related.map((claim) => claim.buffers.get(name))];
		if (others.some((other) => other !== undefined && other !== target)) {
			fail(
				"compile",
				`two buffers named ${name} would be updated, each with a state of its own: call the optimizer once, and ` +
					"compile its updates into one program, which steps on gradients that the programs of other batch shapes " +
					"add to buffers (as train.ts accumulates them); or close() the other program first, to start afresh",
			);
		}
		buffers.set(name, target);
	}
	const claim = { buffers, weights };
	claims.add(claim);
	return () => claims.delete(claim);
}
