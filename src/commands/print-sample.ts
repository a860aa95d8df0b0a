/** Prints what a trained model makes of a text: the text, and a hundred tokens after it as they are drawn. */
import type { Dataset } from "../../prepare/dataset.ts";
import { Tokenizer } from "../../prepare/tokenizer.ts";
import { deviceFor } from "../../trainer/harness/main.ts";
import { sample } from "../../trainer/tensor/sample.ts";

const TOKENS = 100;

export async function printSample(
	dataset: Dataset,
	model: string,
	text: string,
	options: { device: string; threads: number; seed: number },
): Promise<void> {
	const tokenizer = new Tokenizer(dataset.tokenizer);
	const prompt = [dataset.bosId, ...tokenizer.encode(text)];
	const device = await deviceFor(options);
	const drawn: number[] = [];
	let shown = "";
	process.stdout.write(`\n${text}`);
	for (const token of sample(model, prompt, TOKENS, { ...device, seed: options.seed })) {
		if (token === dataset.bosId) break;
		drawn.push(token);
		// A token may end in the middle of a character: what is not whole yet waits for the next one.
		const whole = tokenizer.decode(drawn).replace(/\uFFFD+$/, "");
		process.stdout.write(whole.slice(shown.length));
		shown = whole;
	}
	process.stdout.write("\n");
}
