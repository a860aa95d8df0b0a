import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnthropic } from "../../src/researcher/anthropic/anthropic.ts";
import { anthropicSchema } from "../../src/researcher/config.ts";
import { withFallback } from "../../src/researcher/fallback.ts";
import { createSearch } from "../../src/researcher/search/search.ts";
import { briefOf, listen, TEXT } from "./brief-of.ts";
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
	assert.match(heard.notices[0]!, /answered 429; the search researcher proposes experiment 4/);
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
