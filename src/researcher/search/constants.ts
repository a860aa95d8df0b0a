/**
 * The tunable constants of a TypeScript file, read from its syntax tree: every top-level
 *
 *   const UPPER_SNAKE_CASE = literal; // a comment that may bound it (in the grammar of limits.ts)
 *
 * whose literal is a number (`-1`, `2e-3`, `16_384`), a product or power of numbers (`64 * 4`, `2 ** 14`), a boolean,
 * or a string whose type or comment lists the alternatives: `const ACTIVATION: "relu2" | "gelu" = "relu2"`, or a type
 * alias or `as` or `satisfies` instead. The comment stands on the constant's last line or on the lines directly above
 * it. Everything else in the file is left as it is, byte for byte.
 */
import {
	type Comment,
	type Expression,
	type Program,
	parseSync,
	type TSType,
	type VariableDeclarator,
} from "oxc-parser";
import { readLimits, type ValueLimits } from "./limits.ts";

export type Value = number | boolean | string;

export interface Constant {
	name: string;
	/** The literal as written: `16_384`. */
	text: string;
	value: Value;
	/** Where `text` stands in the file, in UTF-16 code units. */
	start: number;
	end: number;
	/** The alternatives of a boolean or string, the present one included; absent for a number. */
	options?: Value[];
	limits: ValueLimits;
}

/** The file does not parse: the message of its first error. */
export class SyntaxProblem extends Error {
	override readonly name = "SyntaxProblem";
}

function parse(path: string, text: string): { program: Program; comments: Comment[] } {
	const { program, comments, errors } = parseSync(path, text, { lang: "ts" });
	const error = errors.find((e) => e.severity === "Error");
	if (error) {
		const at = error.labels[0]?.start ?? 0;
		throw new SyntaxProblem(`${path}:${text.slice(0, at).split("\n").length}: ${error.message}`);
	}
	return { program, comments };
}

/** Reads the constants in the order of the file. Throws a SyntaxProblem when the file does not parse. */
export function readConstants(path: string, text: string): Constant[] {
	const { program, comments } = parse(path, text);
	const aliases = new Map<string, TSType>();
	for (const statement of program.body) {
		const declaration = exported(statement);
		if (declaration?.type === "TSTypeAliasDeclaration") aliases.set(declaration.id.name, declaration.typeAnnotation);
	}
	const constants: Constant[] = [];
	for (const statement of program.body) {
		const declaration = exported(statement);
		if (declaration?.type !== "VariableDeclaration" || declaration.kind !== "const") continue;
		const alone = declaration.declarations.length === 1;
		const comment = alone ? commentOf(statement, comments, text) : "";
		for (const declarator of declaration.declarations) {
			const constant = readConstant(declarator, text, readLimits(comment), aliases);
			if (constant) constants.push(constant);
		}
	}
	return constants;
}

function exported(statement: Program["body"][number]) {
	return statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
}

function readConstant(
	{ id, init }: VariableDeclarator,
	text: string,
	limits: ValueLimits,
	aliases: Map<string, TSType>,
): Constant | undefined {
	if (id.type !== "Identifier" || !/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(id.name) || !init) return undefined;
	if (limits.fixed) return undefined;
	let type = id.typeAnnotation?.typeAnnotation;
	let literal: Expression = init;
	while (
		literal.type === "TSAsExpression" ||
		literal.type === "TSSatisfiesExpression" ||
		literal.type === "ParenthesizedExpression"
	) {
		if (literal.type !== "ParenthesizedExpression") type ??= literal.typeAnnotation;
		literal = literal.expression;
	}
	const value = evaluate(literal);
	if (value === undefined) return undefined;
	const { start, end } = literal;
	const constant: Constant = { name: id.name, text: text.slice(start, end), value, start, end, limits };
	if (typeof value === "number") {
		const listed = unionOf(type, aliases).filter((option) => typeof option === "number");
		if (listed.length > 1) constant.limits = { ...limits, oneOf: listed };
		return constant;
	}
	const options = typeof value === "boolean" ? [true, false] : unionOf(type, aliases);
	constant.options = options.length > 0 ? options : (limits.oneOf ?? []);
	return constant.options.length > 1 && constant.options.includes(value) ? constant : undefined;
}

/** The value of a literal, or of a product or power of literals; undefined for anything that must be run. */
function evaluate(node: Expression): Value | undefined {
	switch (node.type) {
		case "Literal":
			return ["number", "boolean", "string"].includes(typeof node.value) ? (node.value as Value) : undefined;
		case "UnaryExpression": {
			const value = node.operator === "-" ? evaluate(node.argument) : undefined;
			return typeof value === "number" ? -value : undefined;
		}
		case "BinaryExpression": {
			if (node.left.type === "PrivateIdentifier") return undefined;
			const left = evaluate(node.left);
			const right = evaluate(node.right);
			if (typeof left !== "number" || typeof right !== "number") return undefined;
			if (node.operator === "*") return left * right;
			return node.operator === "**" ? left ** right : undefined;
		}
		default:
			return undefined;
	}
}

/** The literals of a union type, through aliases of the same file. */
function unionOf(type: TSType | undefined, aliases: Map<string, TSType>): (number | string)[] {
	if (type?.type === "TSTypeReference" && type.typeName.type === "Identifier") {
		const alias = aliases.get(type.typeName.name);
		return alias?.type === "TSUnionType" ? unionOf(alias, aliases) : [];
	}
	if (type?.type !== "TSUnionType") return [];
	return type.types.flatMap((member) => {
		if (member.type !== "TSLiteralType" || member.literal.type !== "Literal") return [];
		const { value } = member.literal;
		return typeof value === "string" || typeof value === "number" ? [value] : [];
	});
}

/** The comment behind a statement on its last line, and the block of comments directly above it. */
function commentOf(statement: { start: number; end: number }, comments: Comment[], text: string): string {
	const parts: string[] = [];
	let top = statement.start;
	for (const comment of comments.toReversed()) {
		if (comment.end > top || !/^[ \t]*\r?\n?[ \t]*$/.test(text.slice(comment.end, top))) continue;
		const lineStart = text.lastIndexOf("\n", comment.start - 1) + 1;
		if (text.slice(lineStart, comment.start).trim() !== "") break; // it trails the statement before
		parts.unshift(comment.value);
		top = comment.start;
	}
	for (const comment of comments) {
		if (comment.start >= statement.end && /^[ \t]*$/.test(text.slice(statement.end, comment.start))) {
			parts.push(comment.value);
			break;
		}
	}
	return parts.join("\n");
}

/** The value a piece of source text has, as an experiment's changes record it; undefined when it is no literal. */
export function readValue(text: string): Value | undefined {
	const { program, errors } = parseSync("value.ts", `(${text})`, { lang: "ts" });
	const statement = program.body[0];
	if (errors.length > 0 || statement?.type !== "ExpressionStatement") return undefined;
	const { expression } = statement;
	return evaluate(expression.type === "ParenthesizedExpression" ? expression.expression : expression);
}

/** The file with other literals in place of some constants'. Throws a SyntaxProblem if the result did not parse. */
export function rewrite(path: string, text: string, edits: { constant: Constant; text: string }[]): string {
	let result = text;
	for (const { constant, text: literal } of edits.toSorted((a, b) => b.constant.start - a.constant.start)) {
		result = result.slice(0, constant.start) + literal + result.slice(constant.end);
	}
	parse(path, result);
	return result;
}
