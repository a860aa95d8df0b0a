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
 * Checks the names of the buffers that a program updates.
 * @throws TensorError when this program, or an open one that steps the same weights, updates another buffer of the same
 * name.
 */
export function checkBufferNames(updates: readonly Update[]): void {
	const { buffers, weights } = claimOf(updates);
	const stepped = new Set(weights);
	const related = [...claims].filter((claim) => claim.weights.some((weight) => stepped.has(weight)));
	for (const { target } of updates) {
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
	}
}

/** Notes what a program updates; what it returns takes the note back, when the program is closed. */
export function claimBuffers(updates: readonly Update[]): () => void {
	const claim = claimOf(updates);
	claims.add(claim);
	return () => claims.delete(claim);
}

function claimOf(updates: readonly Update[]): Claim {
	const targets = updates.map(({ target }) => target);
	return {
		buffers: new Map(targets.filter(({ trainable }) => !trainable).map((target) => [target.name, target])),
		weights: targets.filter(({ trainable }) => trainable),
	};
}
