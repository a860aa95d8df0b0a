/** Outages of the Messages API: which are waited out, and which a person must correct. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnthropicConfig } from "../../../src/lab/researcher-config.ts";
import { ResearcherError } from "../../../src/researcher/researcher.ts";
import { briefOf, listen } from "../brief-of.ts";
import { type Answer, failure, type Reply, serveMessages } from "../messages-server.ts";
import { connect, EDITED, editAndSubmit, propose } from "./connect.ts";

const outages: [what: string, reply: Reply, config: Partial<AnthropicConfig>, reason: RegExp][] = [
	[
		"429",
		failure(429, "rate_limit_error", "slow down", { "retry-after": "0.05" }),
		{},
		/answered 429 \(slow down\); trying again/,
	],
	["529", failure(529, "overloaded_error", "busy"), {}, /answered 529 \(busy\); trying again/],
	["a 500 with a page of HTML", { status: 500, body: "<html>oops</html>" }, {}, /answered 500; trying again/],
	["a stream cut in the middle", { ...editAndSubmit, cutAfter: 6 }, {}, /broke off|no connection/],
	["a stream that ends in the middle", { ...editAndSubmit, endAfter: 6 }, {}, /broke off/],
	["a stream that ends before it began", { ...editAndSubmit, cutAfter: 0 }, {}, /broke off|no connection/],
	["a slow drip", { ...editAndSubmit, dripMs: 60 }, { answerSeconds: 0.2 }, /took longer than 0\.2 s/],
	["a stall", { ...editAndSubmit, dripMs: 400 }, { stallSeconds: 0.15 }, /stood still for 0\.15 s/],
	[
		"garbage instead of a stream",
		{ status: 200, headers: { "content-type": "text/event-stream" }, body: "event: message_start\ndata: {{{\n\n" },
		{},
		/broke off/,
	],
	[
		"a web page instead of a stream",
		{ status: 200, headers: { "content-type": "text/html" }, body: "<p>Welcome to the hotel's network</p>" },
		{},
		/broke off/,
	],
	[
		"an error in the middle of the stream",
		{
			status: 200,
			headers: { "content-type": "text/event-stream" },
			body: `event: error\ndata: ${failure(529, "overloaded_error", "busy").body}\n\n`,
		},
		{},
		/answered overloaded_error/,
	],
];
for (const [what, reply, config, reason] of outages) {
	test(`${what} is waited out in sight of the human`, async () => {
		const before = Date.now();
		const { proposal, heard } = await propose([reply, editAndSubmit], config);
		assert.equal(proposal.files[0]!.text, EDITED);
		assert.equal(heard.waits.length, 1);
		assert.match(heard.waits[0]!.reason, reason);
		assert.ok(heard.waits[0]!.until! >= before);
		assert.doesNotMatch(heard.notices.join(), /./, "a wait is no mistake");
	});
}

test("a server that sends pings while it thinks is alive", async () => {
	const thinking: Answer = { ...editAndSubmit, pings: { count: 8, everyMs: 100 } };
	const { heard } = await propose([thinking], { stallSeconds: 0.4 });
	assert.deepEqual(heard.waits, []);
});

test("the wait is as long as the service asks", async () => {
	const { heard } = await propose([failure(429, "rate_limit_error", "slow", { "retry-after": "0.3" }), editAndSubmit]);
	assert.ok(heard.waits[0]!.until! - Date.now() <= 300);
	const server = await serveMessages(failure(429, "rate_limit_error", "slow", { "retry-after": "600" }));
	const controller = new AbortController();
	const started = Date.now();
	const { heard: long, options } = listen({
		signal: controller.signal,
		onWait(reason, until) {
			long.waits.push({ reason, until });
			controller.abort(new Error("stopped"));
		},
	});
	await assert.rejects(connect(server).propose(briefOf(), options), /stopped/);
	assert.ok(long.waits[0]!.until! >= started + 600_000);
	await server[Symbol.asyncDispose]();
});

test("tokens of an answer that broke off are counted too", async () => {
	for (const end of [{ cutAfter: 6 }, { endAfter: 6 }]) {
		const broken: Answer = { ...editAndSubmit, ...end, usage: { input_tokens: 77, output_tokens: 9 } };
		const { heard } = await propose([broken, editAndSubmit]);
		assert.equal(heard.usage.length, 2);
		assert.equal(heard.usage[0]!.inputTokens, 77);
	}
});

test("no credit, once the run has begun, is for a person to mend", async () => {
	const empty = failure(400, "invalid_request_error", "Your credit balance is too low");
	await assert.rejects(propose([empty]), (error: Error) => {
		assert.ok(error instanceof ResearcherError);
		assert.match(error.message, /asks for payment \(Your credit balance is too low\)/);
		return true;
	});
});

test("a port that fetch blocks is said at the start", async () => {
	await using server = await serveMessages();
	const researcher = connect(server, { baseUrl: "http://127.0.0.1:9" });
	await assert.rejects(researcher.check!(new AbortController().signal), /may go to the port of http:.*another port/);
});

const refused: [what: string, reply: Reply, reason: RegExp][] = [
	[
		"a wrong key",
		failure(401, "authentication_error", "invalid x-api-key"),
		/does not accept the key \(invalid x-api-key\)\. Set ANTHROPIC_API_KEY/,
	],
	[
		"a model that does not exist",
		failure(404, "not_found_error", "model: claude-9"),
		/does not know the model claude-opus-5-5 .*Name another with --model/,
	],
	[
		"no credit",
		failure(400, "invalid_request_error", "Your credit balance\n\x1b[31mis too low"),
		/asks for payment \(Your credit balance is too low\)/,
	],
	[
		"a server without this API",
		{ status: 404, body: '{"detail":"Not Found"}' },
		/has no Messages API \(404\)\. Correct/,
	],
	[
		"a server of another API",
		{ status: 404, body: '{"error":{"message":"Invalid URL (POST /v1/messages)","type":"invalid_request_error"}}' },
		/has no Messages API \(404\)\. Correct/,
	],
	[
		"a web page where the API should be",
		{ status: 200, headers: { "content-type": "text/html" }, body: "<p>It works!</p>" },
		/is no Messages API\. Correct the base URL: requests go to http:\/\/127\.0\.0\.1:\d+\/v1\/messages\./,
	],
];
for (const [what, reply, reason] of refused) {
	test(`${what} is said at the start`, async () => {
		await using server = await serveMessages(reply);
		await assert.rejects(connect(server).check!(new AbortController().signal), (error: Error) => {
			assert.ok(error instanceof ResearcherError);
			assert.match(error.message, reason);
			return true;
		});
	});
}

test("a setting that the model does not take is said at the start", async () => {
	await using server = await serveMessages(failure(400, "invalid_request_error", "effort: not supported"));
	await assert.rejects(
		connect(server, { effort: "max" }).check!(new AbortController().signal),
		/effort: not supported/,
	);
});

test("a base URL with a version of its own is answered with the one without it", async () => {
	for (const notFound of [failure(404, "not_found_error", "Not Found"), { status: 404, body: "404 page not found" }]) {
		await using server = await serveMessages(notFound);
		const researcher = connect(server, { baseUrl: `${server.url}/v1` });
		await assert.rejects(
			researcher.check!(new AbortController().signal),
			new RegExp(`has no Messages API \\(404\\)\\. Leave /v1 out of the base URL: ${server.url}$`),
		);
	}
});

test("a server that is slow to answer at the start does not keep the run from starting", async () => {
	const released = Promise.withResolvers<void>();
	await using server = await serveMessages({
		...editAndSubmit,
		pauseAfter: { events: 0, until: () => released.promise },
	});
	await connect(server).check!(AbortSignal.timeout(200));
	assert.equal(server.requests.length, 1);
	released.resolve();
});

test("an outage at the start does not keep the run from starting; a server that is not there does", async () => {
	await using server = await serveMessages(failure(529, "overloaded_error", "busy"));
	await connect(server).check!(new AbortController().signal);
	const closed = await serveMessages();
	await closed[Symbol.asyncDispose]();
	await assert.rejects(connect(closed).check!(new AbortController().signal), /Nothing answers at http:\/\/127/);
});
