/**
 * Coding-agent programs and the flags that make each of them work through one task without asking: edits allowed, no shell
 * where that can be said, nothing committed, no session kept. `{brief-file}` and `{files}` are filled in (command.ts).
 */
export interface Preset {
	/** What `--researcher` takes. */
	name: string;
	summary: string;
	command: string[];
	/** Set on top of the human's own environment. */
	env?: Record<string, string>;
}

export const PRESETS: Preset[] = [
	{
		name: "claude-code",
		summary: "Claude Code in a checkout of the lab",
		command: ["claude", "-p", "--permission-mode", "acceptEdits", "--allowedTools", "Read,Edit,Write,Grep,Glob"],
	},
	{
		name: "codex",
		summary: "Codex in a checkout of the lab",
		command: ["codex", "exec", "--sandbox", "workspace-write", "--skip-git-repo-check", "--ephemeral", "-"],
	},
	{
		name: "gemini",
		summary: "Gemini CLI in a checkout of the lab",
		command: ["gemini", "--approval-mode", "auto_edit", "--skip-trust", "-p", "Do what the text above asks."],
	},
	{
		name: "opencode",
		summary: "OpenCode in a checkout of the lab",
		command: ["opencode", "run", "Do what the text below asks."],
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
	},
];
