/**
 * Coding-agent programs and the flags that make each of them work through one task without asking: edits allowed, nothing
 * committed, no session kept where that can be said. `{brief-file}` and `{files}` are filled in (command.ts).
 */
export interface Preset {
	/** What `--researcher` takes. */
	name: string;
	summary: string;
	command: string[];
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
		command: ["opencode", "run", "--auto", "Read {brief-file} and do what it asks."],
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
