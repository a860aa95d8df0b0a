/** The stand-in that proposes while the first researcher has an outage. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { anthropicSchema, commandSchema } from "../../src/lab/researcher-config.ts";
import { createAnthropic } from "../../src/researcher/anthropic/anthropic.ts";
import { createCommand } from "../../src/researcher/command/command.ts";
import { withFallback } from "../../src/researcher/fallback.ts";
import { createSearch } from "../../src/researcher/search/search.ts";
import { tempDir } from "../support/lab.ts";
import { briefOf, listen, TEXT } from "./brief-of.ts";
import { checkoutOf } from "./command/checkout.ts";
import { call, failure, serveMessages } from "./messages-server.ts";

const answer = {
	content: [
		call("edit_file", { old: "0.02", new: "0.05" }),
		call("submit", { title: "From the model", hypothesis: "H.", expected_gain: 0 }),
	],
};

test("through a long outage the search proposes, and says so; afterwards the model is asked again", async () => {
	const slow = failure(429, "rate_limit_error", "slow down", { "retry-after": "600" });
	await using server = await serveMessages(slow, answer);
	const model = createAnthropic(anthropicSchema.parse({ baseUrl: server.url }), {});
	const researcher = withFallback(model, createSearch());
	assert.equal(researcher.name, "anthropic");
	const { heard, options } = listen();
	const proposal = await researcher.propose(briefOf(), options);
	assert.equal(proposal.researcher, "search");
	assert.notEqual(proposal.files[0]!.text, TEXT);
	assert.match(heard.notices[0]!, /answered 429 \(slow down\); the search researcher proposes experiment 4/);
	assert.equal((await researcher.propose(briefOf(), options)).title, "From the model");
});

test("a short wait is sat out", async () => {
	await using server = await serveMessages(failure(529, "overloaded_error", "busy"), answer);
	const model = createAnthropic(anthropicSchema.parse({ baseUrl: server.url, firstWaitSeconds: 0.01 }), {});
	const { heard, options } = listen();
	const proposal = await withFallback(model, createSearch()).propose(briefOf(), options);
	assert.equal(proposal.title, "From the model");
	assert.equal(heard.waits.length, 1);
});

test("an interruption by the human is no outage", async () => {
	await using server = await serveMessages(failure(429, "rate_limit_error", "slow down", { "retry-after": "20" }));
	const model = createAnthropic(anthropicSchema.parse({ baseUrl: server.url }), {});
	const controller = new AbortController();
	const { options } = listen({ signal: controller.signal, onWait: () => controller.abort(new Error("skipped")) });
	await assert.rejects(withFallback(model, createSearch()).propose(briefOf(), options), /skipped/);
});

test("an agent that keeps failing for long gets a stand-in, and is asked again each time", async (t) => {
	const dir = tempDir(t);
	const limited = join(dir, "limited");
	writeFileSync(limited, "");
	const agent = join(dir, "agent.sh");
	writeFileSync(
		agent,
		[
			`[ -e ${limited} ] && { echo "rate limit reached" >&2; exit 1; }`,
			`sed -i 's/0.02/0.03/' train.ts; echo "TITLE: From the agent"`,
		].join("\n"),
	);
	const command = createCommand("command", commandSchema.parse({ command: ["sh", agent] }), process.env);
	const researcher = withFallback(command, createSearch());
	const { heard, options } = listen({ checkout: async () => checkoutOf({ "train.ts": TEXT }) });
	t.mock.timers.enable({ apis: ["Date"], now: Date.now() });

	await assert.rejects(researcher.propose(briefOf(), options), /rate limit reached/);
	t.mock.timers.tick(31_000);
	assert.equal((await researcher.propose(briefOf(), options)).researcher, "search");
	assert.match(heard.notices[0]!, /code 1: rate limit reached; the search researcher proposes experiment 4/);
	assert.equal((await researcher.propose(briefOf(), options)).researcher, "search", "the agent has not recovered");
	rmSync(limited);
	assert.equal((await researcher.propose(briefOf(), options)).title, "From the agent");
	writeFileSync(limited, "");
	await assert.rejects(
		researcher.propose(briefOf(), options),
		/rate limit reached/,
		"the time it may take begins again",
	);
});

test("what only a person can mend is not waited for", async () => {
	await using server = await serveMessages(failure(401, "authentication_error", "revoked"));
	const model = createAnthropic(anthropicSchema.parse({ baseUrl: server.url }), {});
	const { heard, options } = listen();
	assert.equal((await withFallback(model, createSearch()).propose(briefOf(), options)).researcher, "search");
	assert.match(heard.notices[0]!, /does not accept the key \(revoked\).*the search researcher proposes/);
});

test("a crash is not waited with for a long outage to end", async () => {
	await using server = await serveMessages(
		failure(429, "rate_limit_error", "slow down", { "retry-after": "600" }),
		answer,
	);
	const model = createAnthropic(anthropicSchema.parse({ baseUrl: server.url }), {});
	const researcher = withFallback(model, createSearch());
	const { heard, options } = listen();
	const proposal = {
		title: "T",
		hypothesis: "H",
		files: [{ path: "train.ts", text: `${TEXT}oops();\n` }],
		changes: [],
	};
	const crash = { n: 4, proposal, reason: "oops is not defined", log: "", attempt: 1 };
	assert.equal(await researcher.repair!(briefOf(), crash, options), undefined);
	assert.match(heard.notices[0]!, /answered 429 \(slow down\); experiment 4 is not repaired/);
	assert.equal((await researcher.repair!(briefOf(), crash, options))!.title, "From the model");
	assert.equal(withFallback(createSearch(), createSearch()).repair, undefined);
});
