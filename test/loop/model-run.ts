/** The loop with a model behind it: the real SDK against a loopback server that speaks the Messages API. */
import type { TestContext } from "node:test";
import { type RunOptions, startEngine } from "../../src/engine/start.ts";
import type { State } from "../../src/journal/state.ts";
import { type Answer, call, type MessagesRequest, type Reply, serveMessages } from "../researcher/messages-server.ts";
import { makeLab } from "../support/lab.ts";
import { whenOf } from "../support/when.ts";

/** An edit of one constant, submitted. */
export function change(name: string, from: string, to: string): Answer {
	const title = `Set ${name} to ${to}`;
	return {
		content: [
			call("edit_file", { old: `${name} = ${from};`, new: `${name} = ${to};` }),
			call("submit", { title, hypothesis: "It may help.", expected_gain: 0.01 }),
		],
	};
}

/** The answer to the question, asked once at start, whether the key and the model are good. */
const READY: Answer = { content: [{ type: "text", text: "ready" }] };

/** All messages of a request, as text. */
export const messagesOf = (request: MessagesRequest) => JSON.stringify(request.body.messages);
export const decided = (n: number) => (state: State) => state.experiments[n - 1]?.status !== undefined;
/** The same reply as often as a test may ask. */
export const repeated = (reply: Reply) => Array.from({ length: 50 }, () => reply);

/** An answer that stops after its first events until the test calls `release`. */
export function heldAnswer(answer: Answer): { reply: Answer; begun: Promise<void>; release: () => void } {
	const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
	const { promise: end, resolve: release } = Promise.withResolvers<void>();
	const until = () => {
		begin();
		return end;
	};
	return { reply: { ...answer, pauseAfter: { events: 3, until } }, begun, release };
}

/** A running loop on a lab of its own whose researcher gets these replies. */
export async function startRun(
	t: TestContext,
	replies: Reply[],
	options: { seconds?: number } & Pick<RunOptions, "draftAhead" | "limits"> = {},
) {
	const { seconds = 0.1, draftAhead = true, limits } = options;
	const lab = makeLab(t, {
		train: [["SECONDS = 0", `SECONDS = ${seconds}`]],
		lab: { budget: "60s", researcher: { anthropic: { firstWaitSeconds: 0.05, prices: { input: 10, output: 100 } } } },
	});
	const server = await serveMessages(READY, ...replies);
	const run: RunOptions = {
		lab: lab.dir,
		tag: "demo",
		researcher: { name: "anthropic", baseUrl: server.url },
		device: "cpu",
		draftAhead,
		limits,
	};
	const engine = await startEngine(run, { onPrepare: () => {} });
	t.after(async () => {
		await engine.command({ type: "stop" });
		await engine.finished;
		await server[Symbol.asyncDispose]();
	});
	return { lab, engine, server, run, when: whenOf(engine) };
}
