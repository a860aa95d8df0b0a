/** Ideas a researcher tries, written in the usual ways: each is proven not to look ahead, but one. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lookahead } from "../../../../trainer/tensor/dependence/lookahead.ts";
import * as t from "../../../../trainer/tensor/index.ts";

const [B, T, D, H, V] = [4, 32, 64, 4, 50];
const W = D / H;
const tokens = t.input("tokens", [B, T], "i32");

let count = 0;
const draw = t.seeded(1);
const matrix = (out: number, width: number) => t.parameter(`w${count++}`, t.normal([out, width], width ** -0.5, draw));
const vector = (...shape: number[]) => t.parameter(`v${count++}`, t.uniform(shape, 1, draw));
const heads = (x: t.Tensor, weight: t.Tensor) => t.linear(x, weight).reshape([B, T, -1, W]);
const table = (value: (t: number, s: number) => number) =>
	t.tensor(
		Array.from({ length: T * T }, (_, i) => value(Math.floor(i / T), i % T)),
		[T, T],
	);
const CAUSAL = table((t, s) => (s > t ? -1e9 : 0));
const LOWER = table((t, s) => (s > t ? 0 : 1));

/** Heads in front: [B, T, H, W] to [B, H, T, W], and back to [B, T, D]. */
const forward = (x: t.Tensor) => x.permute(0, 2, 1, 3);
const back = (x: t.Tensor) => x.permute(0, 2, 1, 3).reshape([B, T, D]);
const qkv = (x: t.Tensor) =>
	[matrix(D, D), matrix(D, D), matrix(D, D)].map((w) => heads(x, w)) as [t.Tensor, t.Tensor, t.Tensor];
const scoresOf = (q: t.Tensor, k: t.Tensor) => t.matmul(forward(q), forward(k), { transposeB: true }).div(Math.sqrt(W));

/** What a layer adds to x [B, T, D], which has been normalised. */
const IDEAS: Record<string, (x: t.Tensor) => t.Tensor> = {
	"attention written out, with a mask that is added": (x) => {
		const [q, k, v] = qkv(x);
		return back(t.matmul(t.softmax(scoresOf(q, k).add(CAUSAL)), forward(v)));
	},
	"attention written out, with an infinite mask": (x) => {
		const [q, k, v] = qkv(x);
		const infinite = table((t, s) => (s > t ? Number.NEGATIVE_INFINITY : 0));
		return back(t.matmul(t.softmax(scoresOf(q, k).add(infinite)), forward(v)));
	},
	"attention written out, with where": (x) => {
		const [q, k, v] = qkv(x);
		return back(t.matmul(t.softmax(t.where(LOWER, scoresOf(q, k), -1e9)), forward(v)));
	},
	"a mask that is a buffer, as in nanoGPT": (x) => {
		const [q, k, v] = qkv(x);
		const mask = t.buffer(`mask${count++}`, LOWER);
		return back(t.matmul(t.softmax(t.where(mask, scoresOf(q, k), -1e9)), forward(v)));
	},
	"attention with linear biases (ALiBi)": (x) => {
		const [q, k, v] = qkv(x);
		const slopes = t.tensor([0.5, 0.25, 0.125, 0.0625], [H, 1, 1]);
		const bias = table((t, s) => s - t)
			.mul(slopes)
			.add(CAUSAL);
		return back(t.matmul(t.softmax(scoresOf(q, k).add(bias)), forward(v)));
	},
	"attention with a softcap and a sink": (x) => {
		const [q, k, v] = qkv(x);
		const scores = t.softcap(scoresOf(q, k), 50).add(CAUSAL);
		const sink = t.broadcastTo(vector(H, 1, 1), [B, H, T, 1]);
		return back(t.matmul(t.softmax(t.concat([scores, sink], -1)).slice(-1, 0, T), forward(v)));
	},
	"differential attention": (x) => {
		const [q, k, v] = qkv(x);
		const [a, b] = [t.attention(q, k, v), t.attention(heads(x, matrix(D, D)), k, v)];
		return t.rmsNorm(a.sub(b.mul(vector(H, 1)))).reshape([B, T, D]);
	},
	"grouped queries, windows, partial rotary, normed keys": (x) => {
		const q = heads(x, matrix(D, D));
		const half = (y: t.Tensor) => t.concat([t.rotary(y.slice(-1, 0, W / 2)), y.slice(-1, W / 2)], -1);
		const k = t.rmsNorm(half(heads(x, matrix(W * 2, D))));
		return t.attention(t.rmsNorm(half(q)), k, heads(x, matrix(W * 2, D)), { window: 8 }).reshape([B, T, D]);
	},
	"linear attention with decay": (x) => {
		const [q, k, v] = qkv(x);
		const decay = table((t, s) => (s > t ? 0 : 0.9 ** (t - s)));
		const scores = t.matmul(forward(t.silu(q)), forward(t.silu(k)), { transposeB: true }).mul(decay);
		return back(t.matmul(scores, forward(v)));
	},
	"linear attention, normalised": (x) => {
		const [q, k, v] = qkv(x);
		const weights = t.matmul(forward(t.sigmoid(q)), forward(t.sigmoid(k)), { transposeB: true }).mul(LOWER);
		return back(t.matmul(weights.div(weights.sum(-1, { keepdim: true }).add(1e-3)), forward(v)));
	},
	"the running mean": (x) => {
		const average = table((t, s) => (s > t ? 0 : 1 / (t + 1)));
		return t.matmul(t.broadcastTo(average.reshape([1, T, T]), [B, T, T]), x);
	},
	"a learned mixing of positions, masked (gMLP)": (x) => {
		const mixing = vector(T, T).mul(LOWER);
		return t.matmul(t.broadcastTo(mixing.reshape([1, T, T]), [B, T, T]), x).mul(t.linear(x, matrix(D, D)));
	},
	"a depthwise convolution along time": (x) => {
		const taps = vector(4, D);
		return [0, 1, 2, 3]
			.map((i) => (i ? t.shift(x, i) : x).mul(taps.slice(0, i, i + 1).reshape([D])))
			.reduce((a, b) => a.add(b));
	},
	"a convolution from a padded copy": (x) => {
		const padded = t.pad(x, 1, 3, 0);
		return t.linear(
			t.concat(
				[0, 1, 2, 3].map((i) => padded.slice(1, i, i + T)),
				-1,
			),
			matrix(D, 4 * D),
		);
	},
	"a smear gate": (x) => t.shift(x, 1).mul(t.sigmoid(t.linear(x.slice(-1, 0, 12), matrix(1, 12)))),
	"a shift of half of the channels": (x) => t.concat([t.shift(x.slice(-1, 0, D / 2), 1), x.slice(-1, D / 2)], -1),
	"bigrams from the previous token": (x) => x.mul(t.sigmoid(t.embedding(t.shift(tokens, 1), vector(V, D)))),
	SwiGLU: (x) => t.linear(t.silu(t.linear(x, matrix(96, D))).mul(t.linear(x, matrix(96, D))), matrix(D, 96)),
	"relu squared": (x) => t.linear(t.relu(t.linear(x, matrix(4 * D, D))).square(), matrix(D, 4 * D)),
	"a mixture of four experts": (x) => {
		const weights = t.softmax(t.linear(x, matrix(4, D)));
		const experts = [0, 1, 2, 3].map((i) => t.linear(x, matrix(D, D)).mul(weights.slice(-1, i, i + 1)));
		return experts.reduce((a, b) => a.add(b));
	},
	"layer norm written out": (x) => {
		const centred = x.sub(x.mean(-1, { keepdim: true }));
		return centred
			.mul(t.variance(x, -1, { keepdim: true }).add(1e-5).rsqrt())
			.mul(vector(D))
			.add(vector(D));
	},
	"learned positions": (x) => x.add(vector(T, D)),
	"Mish from primitives": (x) => {
		const softplus = t.maximum(x, 0).add(
			t
				.exp(t.neg(t.abs(x)))
				.add(1)
				.log(),
		);
		return x.mul(t.tanh(softplus));
	},
};

/** Right too, but by a relation of values that are bounded one by one: a position is in the document it is in. */
const OPEN: Record<string, (x: t.Tensor) => t.Tensor> = {
	"attention within documents": (x) => {
		const [q, k, v] = qkv(x);
		// A document's number is how many BOS (id 3) came before.
		const isBos = t.embedding(
			tokens,
			t.tensor(
				Array.from({ length: V }, (_, id) => (id === 3 ? 1 : 0)),
				[V, 1],
			),
		);
		const ids = t.matmul(t.broadcastTo(LOWER.reshape([1, T, T]), [B, T, T]), isBos);
		const same = t.sub(1, t.step(t.abs(ids.sub(ids.transpose(1, 2))).sub(0.5))).reshape([B, 1, T, T]);
		return back(t.matmul(t.softmax(t.where(same.mul(LOWER), scoresOf(q, k), -1e9)), forward(v)));
	},
};

function modelOf(idea: (x: t.Tensor) => t.Tensor): t.Tensor {
	let x = t.rmsNorm(t.embedding(tokens, vector(V, D)));
	for (let layer = 0; layer < 3; layer++) x = x.mul(vector()).add(idea(t.rmsNorm(x)));
	return t.linear(t.rmsNorm(x), matrix(V, D));
}

describe("a model with", () => {
	for (const [name, idea] of Object.entries(IDEAS)) {
		it(`${name} is proven not to look ahead`, () => {
			const logits = modelOf(idea);
			const { verdict, largest } = lookahead(logits, tokens);
			assert.equal(verdict, "none");
			assert.ok(largest < 1e4, `its logits are known to be within ±${largest}`);
			assert.notEqual(lookahead(logits, tokens, "unknown").verdict, "found", "before it is trained");
		});
	}
	for (const [name, idea] of Object.entries(OPEN)) {
		it(`${name} is left to the probe`, () => {
			const logits = modelOf(idea);
			assert.equal(lookahead(logits, tokens).verdict, "unknown");
			assert.equal(lookahead(logits, tokens, "unknown").verdict, "unknown");
		});
	}
	it("a table of more positions than are worth looking at is left to the probe", () => {
		const long = t.input("tokens", [2, 4096], "i32");
		const x = t.embedding(long, vector(V, 1));
		const scores = t.matmul(x, x, { transposeB: true });
		const logits = t.matmul(scores, t.broadcastTo(x, [2, 4096, V]));
		assert.deepEqual(lookahead(logits, long), { verdict: "unknown", largest: Number.POSITIVE_INFINITY });
	});
});
