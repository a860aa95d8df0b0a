/**
 * Writes trainer/tensor/README.md, the reference page for researchers who edit train.ts, from the docstrings of what
 * index.ts exports:
 *
 *     node scripts/tensor-reference.ts
 *
 * It is kept short because it is part of every prompt for a language model.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "oxc-parser";

/** The sections of the page and the modules whose exports they describe. */
const SECTIONS: [title: string, ...modules: string[]][] = [
	["Leaves and parameters", "ops/leaf.ts", "parameter.ts", "random.ts"],
	["Elementwise", "ops/elementwise.ts"],
	["Sums and means", "ops/reduce.ts"],
	["Shapes", "ops/shape.ts", "ops/broadcast.ts"],
	["Matrix products", "ops/matmul.ts"],
	["Layers", "ops/nn.ts", "ops/attention.ts"],
	["Gradients and optimizers", "grad.ts", "optim/adamw.ts", "optim/muon.ts"],
	["Compiled graphs", "schedule.ts", "compile.ts", "storage.ts"],
];

type Module = ReturnType<typeof parseSync>;
type Statement = Module["program"]["body"][number];

/** A parsed file, with what is needed to quote from it. */
class ParsedFile {
	readonly text: string;
	readonly #module: Module;

	constructor(path: string) {
		this.text = readFileSync(path, "utf8");
		this.#module = parseSync(path, this.text);
	}

	get statements(): Statement[] {
		return this.#module.program.body;
	}

	/** The docstring that ends where `start` begins, as one paragraph without `@throws`; empty if there is none. */
	docBefore(start: number): string {
		const comment = this.#module.comments.findLast(({ end }) => end <= start);
		if (!comment?.value.startsWith("*") || this.text.slice(comment.end, start).trim() !== "") return "";
		return comment.value
			.split("\n")
			.map((line) => line.replace(/^\s*\*\s?/, "").trim())
			.join(" ")
			.replace(/@throws .*$/, "")
			.trim();
	}

	/** The file's own opening comment, with its lines. */
	get header(): string {
		const [first] = this.#module.comments;
		const lines = first!.value.split("\n").map((line) => line.replace(/^\s*\*? ?/, ""));
		return lines.join("\n").trim();
	}
}

/** The page's text. */
export function reference(directory: string): string {
	const index = new ParsedFile(join(directory, "index.ts"));
	const exported = new Set(
		index.statements.flatMap((statement) =>
			statement.type === "ExportNamedDeclaration"
				? statement.specifiers.map(({ exported }) => ("name" in exported ? exported.name : exported.value))
				: [],
		),
	);
	const sections = SECTIONS.map(([title, ...modules]) => {
		const entries = modules.flatMap((module) => describe(new ParsedFile(join(directory, module)), exported));
		return `## ${title}\n\n${entries.join("\n")}`;
	});
	const methods = methodsOf(new ParsedFile(join(directory, "tensor.ts")));
	return [
		"# The tensor library",
		"Generated from the source by `node scripts/tensor-reference.ts`; do not edit.",
		index.header,
		new ParsedFile(join(directory, "tensor.ts")).header,
		"An operand is a tensor or a number. Tensors have `shape`, `dtype`, `size`, `dim(i)` and these methods, which do " +
			`what the functions of the same name do: ${methods.map((name) => `\`${name}\``).join(", ")}.`,
		...sections,
		"",
	].join("\n\n");
}

function methodsOf(source: ParsedFile): string[] {
	return source.statements.flatMap((statement) => {
		const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : undefined;
		if (declaration?.type !== "ClassDeclaration") return [];
		return declaration.body.body.flatMap((member) =>
			member.type === "PropertyDefinition" && member.declare && "name" in member.key ? [String(member.key.name)] : [],
		);
	});
}

/** A line for each exported function of a module, and one for each of its options. */
function describe(source: ParsedFile, exported: ReadonlySet<string>): string[] {
	const options = optionsOf(source);
	return source.statements.flatMap((statement): string[] => {
		const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : undefined;
		const doc = source.docBefore(statement.start);
		if (declaration?.type === "FunctionDeclaration" && exported.has(declaration.id!.name)) {
			const { id, params, body } = declaration;
			const from = params[0]?.start ?? id!.end;
			const signature = source.text.slice(from, body!.start).trim().replace(/\s+/g, " ");
			const named = params.length > 0 ? signature : signature.replace(/^\(/, "");
			const used = Object.entries(options).filter(([name]) => signature.includes(name));
			return [
				`- \`${id!.name}(${shorten(named)}\`${doc && `: ${doc}`}`,
				...used.flatMap(([, lines]) => lines.map((line) => `  - ${line}`)),
			];
		}
		if (declaration?.type === "VariableDeclaration") {
			const [{ id } = {}] = declaration.declarations;
			const name = id && "name" in id ? String(id.name) : "";
			if (!exported.has(name)) return [];
			// add, sub, mul and div are made by one function.
			return [`- \`${name}(a: Operand, b: Operand): Tensor\`${doc && `: ${doc}`}`];
		}
		return [];
	});
}

/** Signatures as a reader wants them: defaults shown, the words that repeat left out. */
function shorten(signature: string): string {
	return signature
		.replace(/,? \}: (\w+)( = \{\})?/g, " }")
		.replace(/readonly |: Record<Name, Tensor>|, lowering: .*(?=,? ?\): CompiledGraph)/g, "")
		.replace(/, \)/g, ")");
}

/** The documented fields of each interface that names options. */
function optionsOf(source: ParsedFile): Record<string, string[]> {
	const found: Record<string, string[]> = {};
	for (const statement of source.statements) {
		const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
		if (declaration?.type !== "TSInterfaceDeclaration") continue;
		if (!/Options$/.test(declaration.id.name)) continue;
		found[declaration.id.name] = declaration.body.body.flatMap((member) => {
			if (member.type !== "TSPropertySignature") return [];
			const doc = source.docBefore(member.start);
			const text = source.text.slice(member.start, member.end).replace(/;$/, "");
			return [`\`${text}\`${doc && `: ${doc}`}`];
		});
	}
	return found;
}

if (import.meta.main) {
	const directory = join(import.meta.dirname, "../trainer/tensor");
	writeFileSync(join(directory, "README.md"), reference(directory));
}
