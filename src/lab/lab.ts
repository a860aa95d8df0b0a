/**
 * A lab is a folder in a git repository prepared for the loop. `autoresearch.json` at its root says what the researcher
 * may edit, how to train, how to measure, and for how long.
 */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, normalize, resolve } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { parseDuration } from "./duration.ts";
import { researcherSchema } from "./researcher-config.ts";

export const LAB_FILE = "autoresearch.json";

const relativePath = z
	.string()
	.min(1)
	.refine((path) => !isAbsolute(path) && !normalize(path).startsWith(".."), "must be a path inside the lab")
	.transform((path) => normalize(path).replaceAll("\\", "/"));

const DURATION = 'must be a duration such as "5m" or "30s"';

const duration = z.string(DURATION).transform((text, context) => {
	const seconds = parseDuration(text);
	if (seconds === undefined) context.addIssue({ code: "custom", message: DURATION });
	return seconds ?? z.NEVER;
});

const step = z.union([z.literal("built-in"), z.strictObject({ command: z.array(z.string().min(1)).min(1) })], {
	error: 'must be "built-in" or { "command": ["program", "argument", …] }',
});

const labSchema = z
	.strictObject({
		$schema: z.string().optional(),
		name: z.string().min(1),
		/** The files the researcher may change. */
		edit: z
			.array(relativePath)
			.min(1)
			.transform((paths) => [...new Set(paths)]),
		program: relativePath.default("program.md"),
		data: z
			.strictObject({
				source: z.string().min(1).default("sotu"),
				vocabulary: z.int().min(260).max(65_536).default(4096),
			})
			.prefault({}),
		train: step.default("built-in"),
		evaluate: step.default("built-in"),
		metric: z
			.strictObject({
				name: z.string().min(1).default("val_bpb"),
				direction: z.enum(["lower", "higher"]).default("lower"),
			})
			.prefault({}),
		budget: duration.prefault("5m"),
		researcher: researcherSchema.prefault({}),
		/** When the trainer is ended whatever it does; twice the budget unless given. */
		timeout: duration.optional(),
	})
	.refine((lab) => lab.evaluate !== "built-in" || lab.train === "built-in", {
		path: ["evaluate"],
		message: "the built-in evaluation measures models of the built-in trainer; give a command of your own",
	});

export type LabConfig = z.output<typeof labSchema>;

export interface Lab extends LabConfig {
	/** The lab's root, absolute and real. */
	dir: string;
}

/** Reads and validates the lab file of `dir`. Throws UserError naming the key that is wrong. */
export function loadLab(dir: string): Lab {
	const root = resolve(dir);
	if (!existsSync(root) || !statSync(root).isDirectory()) {
		throw new UserError(`${root} is not a folder; give the lab's folder with --lab DIR`);
	}
	const path = join(root, LAB_FILE);
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		if (!existsSync(path)) {
			throw new UserError(`no ${LAB_FILE} in ${root}: run this in a lab's folder, or name one with --lab DIR`);
		}
		throw new UserError(`cannot read ${path}: ${messageOf(error)}`);
	}
	const config = parseLab(text, path);
	return {
		...config,
		data: { ...config.data, source: resolveSource(config.data.source, root) },
		dir: realpathSync(root),
	};
}

/** A corpus is the built-in one by name, or files: a path, from the lab's root or from where a command was typed. */
export function resolveSource(source: string, from: string): string {
	return source === "sotu" ? source : resolve(from, source);
}

/** The lab described by `text`; `path` is only for messages. */
export function parseLab(text: string, path: string): LabConfig {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (error) {
		throw new UserError(`${path} is not valid JSON: ${messageOf(error)}`);
	}
	const result = labSchema.safeParse(json);
	if (result.success) return result.data;
	const issue = result.error.issues[0]!;
	const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
	const key = [...issue.path, ...(unknown ? [unknown] : [])].join(".") || "the file";
	throw new UserError(`${path}: ${key}: ${unknown ? "no such setting" : issue.message}`);
}
