/**
 * Which buffer a name stands for. An optimizer makes its buffers when it is called, named after the weights: called for
 * each of two programs, it makes two of each, and the second program would silently start from a fresh state.
 */
import { fail } from "./errors.ts";
import type { Parameter } from "./parameter.ts";
import type { Update } from "./plan.ts";

/** The buffers that open programs update, and how many programs do. */
const claimed = new Map<string, { buffer: Parameter; programs: number }>();

/**
 * Notes the buffers that a program updates; what it returns takes the note back, when the program is closed.
 * @throws TensorError when an open program, or this one, updates another buffer of the same name.
 */
export function claimBuffers(updates: readonly Update[]): () => void {
	const buffers = new Map<string, Parameter>();
	for (const { target } of updates) {
		if (target.trainable) continue;
		const { name } = target;
		const other = buffers.get(name) ?? claimed.get(name)?.buffer;
		if (other !== undefined && other !== target) {
			fail(
				"compile",
				`two buffers named ${name} would be updated, each with a state of its own: call the optimizer once, and ` +
					"compile its updates into one program, which steps on gradients that the programs of other batch shapes " +
					"add to buffers (as train.ts accumulates them); or close() the other program first, to start afresh",
			);
		}
		buffers.set(name, target);
	}
	for (const [name, buffer] of buffers) {
		claimed.set(name, { buffer, programs: (claimed.get(name)?.programs ?? 0) + 1 });
	}
	return () => {
		for (const [name, buffer] of buffers) {
			const programs = claimed.get(name)!.programs - 1;
			if (programs === 0) claimed.delete(name);
			else claimed.set(name, { buffer, programs });
		}
	};
}
