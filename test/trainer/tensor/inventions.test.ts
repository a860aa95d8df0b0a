/** Compositions of operations that a researcher may try train in both lowerings. */
import { describe, it } from "node:test";
import { inventions } from "./inventions.ts";
import { lowerings } from "./lowerings.ts";

for (const lowering of lowerings) {
	describe(`a researcher can invent: ${lowering.name}`, () => {
		for (const [name, invent] of Object.entries(inventions)) it(name, () => invent(lowering));
	});
}
