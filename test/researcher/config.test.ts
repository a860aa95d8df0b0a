/** The researchers' settings from the lab file, the environment and flags. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { researcherSchema } from "../../src/lab/researcher-config.ts";
import { commandOf, PRESETS } from "../../src/researcher/command/presets.ts";
import { type ResearcherFlags, resolveConfig } from "../../src/researcher/config.ts";
import { createResearcher, defaultResearcher } from "../../src/researcher/index.ts";
import { RESEARCHERS } from "../../src/researcher/names.ts";

test("flags overrule the environment, which overrules the lab file", () => {
	const lab = researcherSchema.parse({ anthropic: { model: "from-lab", effort: "low" } });
	const env = { AUTORESEARCH_MODEL: "from-env", ANTHROPIC_BASE_URL: "http://localhost:11434" };
	const { anthropic } = resolveConfig(lab, env, { model: "from-flag" });
	assert.equal(anthropic.model, "from-flag");
	assert.equal(anthropic.effort, "low");
	assert.equal(anthropic.baseUrl, "http://localhost:11434");
	assert.equal(resolveConfig(lab, env).anthropic.model, "from-env");
	assert.equal(resolveConfig(lab, {}).anthropic.model, "from-lab");
});

test("a wrong value is named by where it came from", () => {
	assert.throws(() => resolveConfig(undefined, {}, { effort: "heroic" }), /^UserError: --effort heroic: /);
	assert.throws(() => resolveConfig(undefined, { ANTHROPIC_BASE_URL: "localhost" }), /ANTHROPIC_BASE_URL localhost: /);
	assert.throws(() => resolveConfig(undefined, {}, { fallback: "anthropic" }), /--fallback anthropic: only "search"/);
});

test("the lab file's section refuses what it does not know", () => {
	assert.equal(researcherSchema.safeParse({ anthropic: { apiKey: "sk" } }).success, false, "a key belongs elsewhere");
	assert.equal(researcherSchema.safeParse({ command: { command: [] } }).success, false);
});

test("Claude is asked where there is a key or a server, the search where there is neither", () => {
	const config = resolveConfig(undefined, {});
	assert.equal(defaultResearcher(config, {}), "search");
	assert.equal(defaultResearcher(config, { ANTHROPIC_API_KEY: "sk" }), "anthropic");
	assert.equal(defaultResearcher(resolveConfig(undefined, {}, { baseUrl: "http://localhost:1" }), {}), "anthropic");
	assert.equal(
		defaultResearcher(resolveConfig(undefined, {}, { name: "codex" }), { ANTHROPIC_API_KEY: "sk" }),
		"codex",
	);
});

test("every researcher of the list can be made, and carries its name", () => {
	const config = researcherSchema.parse({ command: { command: ["my-agent"] } });
	for (const { name } of RESEARCHERS) {
		assert.equal(createResearcher(name, config, { ANTHROPIC_API_KEY: "sk" }).name, name);
	}
});

test("what a researcher lacks is said in words", () => {
	const config = resolveConfig(undefined, {});
	assert.throws(() => createResearcher("anthropic", config, {}), /needs a key: set ANTHROPIC_API_KEY, or --base-url/);
	assert.throws(() => createResearcher("command", config, {}), /needs researcher\.command in the lab file/);
	assert.throws(
		() => createResearcher("oracle", config, {}),
		/There is no researcher "oracle"\. There are: search, anthropic/,
	);
});

test("a model and an effort reach the coding agents that have flags for them, and the run records the model", () => {
	const commands = (flags: ResearcherFlags, env = {}) => {
		const { asked = {} } = resolveConfig(undefined, env, flags);
		return Object.fromEntries(PRESETS.map((preset) => [preset.name, commandOf(preset, asked).command.join(" ")]));
	};
	const { "claude-code": claude, codex, gemini, opencode, aider } = commands({ model: "m-1", effort: "high" });
	assert.match(claude!, /^claude -p --model m-1 --effort high --permission-mode acceptEdits --tools Read,/);
	assert.match(codex!, /^codex exec --model m-1 --sandbox/);
	assert.match(gemini!, /^gemini --model m-1 --approval-mode/);
	assert.match(opencode!, /^opencode run --model m-1 Do what/);
	assert.match(aider!, /^aider --model m-1 --reasoning-effort high --message-file/);
	assert.match(commands({}, { AUTORESEARCH_MODEL: "m-2" }).codex!, /^codex exec --model m-2 /);
	for (const command of Object.values(commands({}))) assert.doesNotMatch(command, /model|effort|\{options\}/);
	assert.equal(createResearcher("codex", resolveConfig(undefined, {}, { model: "m-1" }), {}).model, "m-1");
});

test("a flag that a researcher has no setting for is refused with what to do", () => {
	const refused = (name: string, flags: ResearcherFlags) => () => {
		const section = researcherSchema.parse({ command: { command: ["my-agent"] } });
		return createResearcher(name, resolveConfig(section, {}, flags), { ANTHROPIC_API_KEY: "sk" });
	};
	assert.throws(
		refused("codex", { effort: "high" }),
		/^ResearcherError: --effort would have no effect: codex has no such flag; leave it out, and use codex's own conf/,
	);
	assert.throws(refused("claude-code", { baseUrl: "http://localhost:1" }), /--base-url would have no effect: claude /);
	assert.throws(refused("search", { model: "m" }), /--model would have no effect: the built-in search asks no model/);
	assert.throws(refused("command", { model: "m" }), /--model would have no effect: .*researcher\.command/);
	assert.doesNotThrow(refused("anthropic", { model: "m", effort: "high", baseUrl: "http://localhost:1" }));
	const env = { AUTORESEARCH_MODEL: "m", ANTHROPIC_BASE_URL: "http://localhost:1" };
	assert.equal(createResearcher("search", resolveConfig(undefined, env), env).name, "search");
});
