/**
 * Coding-agent programs and the flags that make each of them work through one task without asking: edits allowed in its
 * working directory only, no shell where that can be said, nothing committed, no session kept where that can be said.
 */
import type { CommandConfig } from "../../lab/researcher-config.ts";

export interface Preset {
	/** What `--researcher` takes. */
	name: string;
	summary: string;
	/** `{options}` stands for `options` that are set; `{brief-file}` and `{files}` are filled in by command.ts. */
	command: string[];
	/** The program's own flags for a setting of ours; one that it has no flag for is refused. */
	options: Partial<Record<AgentOption, string>>;
	/** Added to the human's own environment. */
	env?: Record<string, string>;
}

/** What of a coding agent can be set from here. */
export type AgentOption = "model" | "effort";

/** The command of a preset with the given options. */
export function commandOf(
	{ command, options, env = {} }: Preset,
	given: Partial<Record<AgentOption, string>>,
): Pick<CommandConfig, "command" | "env"> {
	const flags = (Object.keys(options) as AgentOption[]).flatMap((option) => {
		const value = given[option];
		return value === undefined ? [] : [options[option]!, value];
	});
	return { command: command.flatMap((argument) => (argument === "{options}" ? flags : [argument])), env };
}

export const PRESETS: Preset[] = [
	{
		name: "claude-code",
		summary: "Claude Code in a checkout of the lab",
		// --allowedTools would allow its tools anywhere; --tools with acceptEdits keeps edits in the working directory.
		command: [
			"claude",
			"-p",
			"{options}",
			"--permission-mode",
			"acceptEdits",
			"--tools",
			"Read,Edit,Write,Grep,Glob",
			"--no-session-persistence",
			"--strict-mcp-config",
		],
		options: { model: "--model", effort: "--effort" },
	},
	{
		name: "codex",
		summary: "Codex in a checkout of the lab",
		command: [
			"codex",
			"exec",
			"{options}",
			"--sandbox",
			"workspace-write",
			"--skip-git-repo-check",
			"--ephemeral",
			"-",
		],
		options: { model: "--model" },
	},
	{
		name: "gemini",
		summary: "Gemini CLI in a checkout of the lab",
		command: [
			"gemini",
			"{options}",
			"--approval-mode",
			"auto_edit",
			"--skip-trust",
			"-p",
			"Do what the text above asks.",
		],
		options: { model: "--model" },
	},
	{
		name: "opencode",
		summary: "OpenCode in a checkout of the lab",
		command: ["opencode", "run", "{options}", "Do what the text below asks."],
		options: { model: "--model" },
		env: {
			OPENCODE_PERMISSION: JSON.stringify({
				"*": "deny",
				read: "allow",
				edit: "allow",
				glob: "allow",
				grep: "allow",
				list: "allow",
			}),
		},
	},
	{
		name: "aider",
		summary: "aider in a checkout of the lab",
		command: [
			"aider",
			"{options}",
			"--message-file",
			"{brief-file}",
			"--yes-always",
			"--no-git",
			"--no-suggest-shell-commands",
			"--no-check-update",
			"--no-pretty",
			"--no-stream",
			"--map-tokens",
			"0",
			"--chat-history-file",
			"/dev/null",
			"--input-history-file",
			"/dev/null",
			"{files}",
		],
		options: { model: "--model", effort: "--reasoning-effort" },
	},
];
