/** Bounds of token ids, known from the tables they index. Checked here because ggml ends the process on a wrong id. */
import { fail } from "./errors.ts";
import type { Tensor } from "./tensor.ts";

/** For each input and constant of ids, the number below which every id must stay. Constants are checked here. */
export function indexBounds(tensors: readonly Tensor[]): Map<Tensor, number> {
	const bounds = new Map<Tensor, number>();
	for (const { op, inputs, shape } of tensors) {
		const [a, b] = inputs;
		if (op === "embedding") limit(b!, a!.dim(0));
		else if (op === "embedding_backward") limit(b!, shape[0]!);
		else if (op === "cross_entropy" || op === "cross_entropy_backward") limit(b!, a!.dim(1));
	}
	return bounds;

	function limit(ids: Tensor, bound: number): void {
		if ((bounds.get(ids) ?? Number.POSITIVE_INFINITY) <= bound) return;
		bounds.set(ids, bound);
		const wrong = ids.values?.find((id) => id < 0 || id >= bound);
		if (wrong !== undefined) fail("embedding", `the constant holds id ${wrong}, outside of 0 to ${bound - 1}`);
		for (const input of ids.inputs) limit(input, bound);
	}
}
