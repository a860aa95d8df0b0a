/** How long a request waits before it is repeated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Outage } from "../../../src/researcher/anthropic/client.ts";
import { withBackoff } from "../../../src/researcher/anthropic/retry.ts";

async function waitsOf(outages: Outage[]): Promise<number[]> {
	const waits: number[] = [];
	const left = [...outages];
	const result = await withBackoff(
		async () => {
			const outage = left.shift();
			if (outage) throw outage;
			return "answer";
		},
		{
			firstWaitSeconds: 0.02,
			longestWaitSeconds: 0.08,
			signal: new AbortController().signal,
			onWait: (_, until) => waits.push(until - Date.now()),
		},
	);
	assert.equal(result, "answer");
	return waits;
}

test("each wait is about twice the one before, up to the longest", async () => {
	const waits = await waitsOf(Array.from({ length: 5 }, () => new Outage("busy")));
	const around = [20, 40, 80, 80, 80];
	assert.equal(waits.length, 5);
	for (const [i, wait] of waits.entries()) {
		assert.ok(wait >= around[i]! * 0.7 && wait <= around[i]! * 1.25, `${i}: ${wait}`);
	}
});

test("a service that asks for a longer wait gets it", async () => {
	const [wait] = await waitsOf([new Outage("slow down", 0.3)]);
	assert.ok(wait! > 250 && wait! <= 300, String(wait));
});

test("anything but an outage ends the retries at once, and so does the signal", async () => {
	const backoff = {
		firstWaitSeconds: 60,
		longestWaitSeconds: 60,
		signal: new AbortController().signal,
		onWait: () => assert.fail("no wait"),
	};
	const fault = async () => {
		throw new Error("a fault");
	};
	await assert.rejects(withBackoff(fault, backoff), /a fault/);
	const controller = new AbortController();
	const outage = async () => {
		throw new Outage("busy");
	};
	const onWait = () => controller.abort(new Error("stopped"));
	await assert.rejects(withBackoff(outage, { ...backoff, signal: controller.signal, onWait }), /stopped/);
});
