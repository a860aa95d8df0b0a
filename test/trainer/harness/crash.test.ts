/** Every failure of a training file ends the run in one line that names the reason and the place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Edits, Lab } from "./harness.ts";

async function crashes(edits: Edits, reason: (lab: Lab) => RegExp | string, args?: string[]): Promise<void> {
	const lab = new Lab(edits);
	const { code, stderr } = await lab.train(args);
	const expected = reason(lab);
	if (typeof expected === "string") assert.equal(stderr, `crash: ${expected}\n`);
	else assert.match(stderr, expected);
	assert.match(stderr, /^crash: [^\n]+\n$/, "one line, and nothing else");
	assert.equal(code, 1);
}

const IMPORT = "import { adamw,";
const STEP = "const lrMultiplier = 1 - progress;";

test("a syntax error crashes the run with its line", () =>
	crashes(
		{ "const random =": "const = random" },
		(lab) => new RegExp(`^crash: .*\\(${lab.place("const = random")}\\)`),
	));

test("TypeScript that Node cannot strip crashes the run with its line", () =>
	crashes(
		{ "export const batch": "enum Size { A }\nexport const batch" },
		(lab) => `SyntaxError: TypeScript enum is not supported in strip-only mode (${lab.place("enum")})`,
	));

test("an import of anything but the library is named", () =>
	crashes(
		{ [IMPORT]: `import { helper } from "./helper.ts";\n${IMPORT}` },
		() => 'train.ts imports "./helper.ts"; a training file may import only ./tensor/index.ts and ./contract.ts',
	));

test("a missing export is named", () =>
	crashes(
		{ "export function train": "function train" },
		() => "train.ts does not export the function `train`; contract.ts says what a training file exports",
	));

test("a batch of a wrong shape is named", async () => {
	await crashes(
		{ "rows: 8, length: 32": 'rows: 8, length: "32" as unknown as number' },
		() => /`batch`: \{ rows, length \}/,
	);
	await crashes({ "rows: 8, length: 32": "rows: 0, length: 32" }, () => /\[0, 32\]|batches of 0 x 32 tokens/);
});

test("a build that returns no model is named", () =>
	crashes(
		{ "return { table, logits:": "return { table, logit:", "logits(input": "(undefined as never)(input" },
		() => "build() in train.ts returned no model: logits(tokens) is missing",
	));

test("a wrong shape crashes the run with the operation, both shapes and the line", () =>
	crashes(
		{
			[IMPORT]: `${IMPORT} matmul, zeros,`,
			"const loss = crossEntropy(": "const loss = matmul(table, zeros([7, 320])); crossEntropy(",
		},
		(lab) => new RegExp(`^crash: .*\\[320, 320\\].*\\[7, 320\\].*${lab.place("const loss")}`),
	));

test("a model that the metric could not measure crashes before its budget begins", async () => {
	const positions = 'embedding(tokens, table).add(parameter("positions", normal([32, vocabSize], 0.02, random)))';
	await crashes(
		{ "embedding(tokens, table)": positions },
		() =>
			/^crash: add: \[\d+, \d+, 320\] and \[32, 320\] do not broadcast.*; the metric asks for the logits of \d+ x \d+/,
		["--budget", "100"],
	);
	await crashes(
		{
			"return { table,":
				'const twin = parameter("table", normal([vocabSize, vocabSize], 0.02, random));\n\treturn { table,',
			"embedding(tokens, table)": "embedding(tokens, table).add(embedding(tokens, twin))",
		},
		() => /^crash: two parameters are named table/,
		["--budget", "100"],
	);
});

test("an exception crashes the run with its message and line", () =>
	crashes(
		{ [STEP]: `${STEP}\n\t\t(undefined as never as string[]).push("x");` },
		(lab) => `TypeError: Cannot read properties of undefined (reading 'push') (${lab.place(".push(")})`,
	));

test("a loss that is not a number ends the run at once", () =>
	crashes({ [STEP]: `${STEP}\n\t\treport({ loss: Number.NaN });` }, () => "the loss is NaN at step 0", [
		"--budget",
		"100",
	]));

test("a loss that explodes ends the run at once", () =>
	crashes({ [STEP]: `${STEP}\n\t\treport({ loss: 1234 });` }, () => "the loss exploded: 1234.0 at step 0", [
		"--budget",
		"100",
	]));

test("an endless loop before the first batch ends at the start-up limit", () =>
	crashes(
		{ "const random =": "for (;;);\n\tconst random =" },
		() => /^crash: did not ask for its first batch within 2 s/,
		["--startup-limit", "2"],
	));

test("an endless loop in training ends soon after the budget", () =>
	crashes(
		{ [STEP]: `${STEP}\n\t\tfor (;;);` },
		() => /^crash: overran: still in a step 1 s after the budget of 0.2 s/,
		["--grace", "1"],
	));

test("training on after the batches have ended is not allowed", () =>
	crashes(
		{
			"for (const { tokens": "const all = [...batches];\n\tfor (;;) for (const { tokens",
			"of batches) {": "of all) {",
		},
		() => /^crash: overran: train\(\) went on for [\d.]+ s after its batches had ended/,
	));

test("ending the process is not finishing", () =>
	crashes(
		{ [STEP]: `${STEP}\n\t\tprocess.exit(0);` },
		() => "the process ended itself with exit code 0 before training was finished",
	));

test("a native abort is named, with what the process said last", () =>
	crashes(
		{ [STEP]: `${STEP}\n\t\tconsole.error("GGML_ASSERT(a == b) failed");\n\t\tprocess.abort();` },
		() => "the process died of SIGABRT: GGML_ASSERT(a == b) failed",
	));

test("what ggml logs of a device's error before it aborts is the reason", async () => {
	const lines = ["CUDA error: out of memory", "  current device: 0, in function f at g.cu:1", "  cudaGetLastError()"];
	const log = lines.map((line) => `say(4, ${JSON.stringify(`${line}\n`)});`).join(" ");
	await crashes(
		{
			[IMPORT]: `import koffi from "${import.meta.resolve("koffi")}";\n${IMPORT}`,
			[STEP]: `${STEP}
			const say = koffi.load(null).func("void ggml_log_internal(int level, const char* format)");
			${log} console.error("ggml-cuda.cu:108: CUDA error"); process.abort();`,
		},
		() => "out of memory: CUDA error: out of memory",
	);
});

test("a parameter that cannot fit is refused with both sizes", () =>
	crashes(
		{
			[IMPORT]: `${IMPORT} zeros,`,
			"const loss =":
				'const huge = [..."0123456789abcdef"].map((i) => parameter(i, zeros([40_000, 100_000])).sum()); const loss =',
			"{ loss }, adamw": "{ loss, huge: huge.reduce((sum, x) => sum.add(x)) }, adamw",
		},
		(lab) => new RegExp(`256\\.00 GB.*memory are free \\(${lab.place("const step")}\\)`),
	));

test("a run that uses more memory than its limit is ended", () =>
	crashes(
		{
			[STEP]: `${STEP}\n\t\tfor (;;) hoard.push(Buffer.alloc(1e7, 1));`,
			"export const batch": "const hoard: Buffer[] = [];\nexport const batch",
		},
		() => /^crash: out of memory: the run used \d+ MB, the limit is 600 MB/,
		["--memory-limit", "600"],
	));

test("writing to the harness's pipe is a crash, not a message", () =>
	crashes(
		{
			[IMPORT]: `import { writeSync } from "node:fs";\n${IMPORT}`,
			[STEP]: `${STEP}\n\t\twriteSync(4, "val_bpb: 0.1\\n");`,
		},
		() => "train.ts wrote to the harness's own pipe",
	));

test("a model whose logits have another size is refused when it is saved", () =>
	crashes(
		{ "[vocabSize, vocabSize]": "[vocabSize, vocabSize + 1]" },
		() => /^crash: .*must be \[16, 256, 320\], not \[16, 256, 321\]/,
	));

test("a message cannot run over several lines or drive the terminal", () =>
	crashes(
		{ [STEP]: `throw new Error("one\\ncrash: two\\x1b[31m red" + "!".repeat(9999));` },
		() => /^crash: one crash: two red!+…\n$/,
	));
