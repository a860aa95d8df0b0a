/** Every operation's gradient agrees with finite differences, on sizes that fill no vector register. */
import { describe, it } from "node:test";
import { cases } from "./gradient-cases.ts";
import { lowerings } from "./lowerings.ts";
import { checkGradients } from "./numeric.ts";

for (const lowering of lowerings) {
	describe(`gradients agree with finite differences: ${lowering.name}`, () => {
		for (const [name, build, inputs] of cases) it(name, () => checkGradients(build, inputs, { lowering }));
	});
}
