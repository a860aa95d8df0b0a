/**
 * What can be said against a built-in training file before any time is spent on it: it does not parse, or it imports
 * something the harness does not offer. Undefined when there is nothing to say.
 */
import { parseSync } from "oxc-parser";

/** train.ts may use the tensor library and the contract's types, and nothing of the machine. */
const IMPORTABLE = ["./tensor/index.ts", "./contract.ts"];

export function preflight(path: string, text: string): string | undefined {
	const { errors, module } = parseSync(path, text);
	const error = errors.find(({ severity }) => severity === "Error");
	if (error) return `${at(path, text, error.labels[0]?.start)}: syntax error: ${error.message}`;
	const reexported = module.staticExports.flatMap(({ entries }) =>
		entries.flatMap((entry) => entry.moduleRequest ?? []),
	);
	for (const moduleRequest of [...module.staticImports.map((statement) => statement.moduleRequest), ...reexported]) {
		if (IMPORTABLE.includes(moduleRequest.value)) continue;
		const place = at(path, text, moduleRequest.start);
		return `${place}: imports "${moduleRequest.value}"; a training file may import only ${IMPORTABLE.join(" and ")}`;
	}
	const dynamic = module.dynamicImports[0];
	if (dynamic) return `${at(path, text, dynamic.start)}: a training file may not import at run time`;
	return undefined;
}

function at(path: string, text: string, offset = 0): string {
	return `${path}:${text.slice(0, offset).split("\n").length}`;
}
