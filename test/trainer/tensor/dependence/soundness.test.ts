/**
 * What the analysis says of random graphs, beside what changing every token shows: it never says "none" where a logit
 * changes with a token it may not see, and never "found" where
 * none does.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lookahead } from "../../../../trainer/tensor/dependence/lookahead.ts";
import * as t from "../../../../trainer/tensor/index.ts";
import { release } from "../../../../trainer/tensor/storage.ts";
import { lowerings } from "../lowerings.ts";
import { leaks } from "./measured.ts";

const [B, T, D, V] = [3, 5, 4, 7];
const GRAPHS = Number(process.env.GRAPHS ?? 400);

type Draw = () => number;

/** A random model: a few of the layers below, one after the other, on an embedding of the tokens. */
function model(seed: number) {
	const draw = t.seeded(seed);
	const tokens = t.input("tokens", [B, T], "i32");
	const used: string[] = [];
	let count = 0;
	const weight = (...shape: number[]) => t.parameter(`w${count++}`, t.normal(shape, 1, draw));
	const build = { tokens, draw, weight };
	let x = t.embedding(tokens, weight(V, D));
	for (let i = 1 + Math.floor(3 * draw()); i > 0; i--) {
		const [name, layer] = pick(Object.entries(layers), draw);
		used.push(name);
		const y = layer(x, build);
		x = draw() < 0.5 ? y : x.add(y);
	}
	return { tokens, logits: t.linear(x, weight(V, D)), used };
}

interface Build {
	tokens: t.Tensor;
	draw: Draw;
	weight: (...shape: number[]) => t.Parameter;
}

function pick<Item>(items: readonly Item[], draw: Draw): Item {
	return items[Math.floor(draw() * items.length)]!;
}

/** A table of positions: what each row t keeps of the positions s. */
function positions(keep: (t: number, s: number) => number): t.Tensor {
	return t.tensor(
		Array.from({ length: T * T }, (_, i) => keep(Math.floor(i / T), i % T)),
		[T, T],
	);
}
/** A mask that is now and then off by one. */
const bent = (draw: Draw) => (draw() < 0.3 ? 1 : draw() < 0.2 ? -1 : 0);

/** [B, T, D] to [B, T, D]; some look ahead, some only under some circumstances. */
const layers: Record<string, (x: t.Tensor, build: Build) => t.Tensor> = {
	unary: (x, { draw }) =>
		pick(
			[t.tanh, t.sigmoid, t.silu, t.gelu, t.relu, t.step, t.square, t.abs, t.sin, t.cos, t.neg].concat([
				(x) => t.softcap(x, 2),
				(x) => t.rmsNorm(x),
				(x) => t.softmax(x),
				(x) => t.log(x.square().add(1)),
				(x) => t.sqrt(x.square()),
				(x) => t.exp(t.tanh(x)),
				(x) => t.detach(x),
			]),
			draw,
		)(x),
	linear: (x, { weight }) => t.linear(x, weight(D, D)),
	extreme: (x, { draw }) =>
		pick<(x: t.Tensor) => t.Tensor>(
			[
				(x) => x.mul(1e30).square(),
				(x) => t.exp(x.mul(100)),
				(x) => x.div(t.relu(x)),
				(x) => t.log(x),
				(x) => x.mul(1e-30).square(),
				(x) => t.relu(x.mul(1e30).square().mul(0)),
			],
			draw,
		)(x),
	"laundered infinity": (x, { draw }) => {
		const wild = t.exp(t.shift(x.mul(60), 1)).mul(draw() < 0.5 ? 0 : 1);
		return t.relu(wild.add(t.concat([x.slice(1, 1), x.slice(1, 0, 1)], 1).mul(draw() < 0.5 ? 0 : 1)));
	},
	"shift back": (x, { draw }) => t.shift(x, 1 + Math.floor(draw() * 3)),
	"shift ahead": (x, { draw }) => (draw() < 0.5 ? x : t.pad(x.slice(1, 1), 1, 0, 1)),
	"pad and cut": (x, { draw }) => {
		const by = Math.floor(3 * draw());
		const from = Math.floor((by + 1) * draw());
		return t.pad(x, 1, by, 0).slice(1, from, from + T);
	},
	"rows moved": (x, { draw }) => (draw() < 0.7 ? x : t.concat([x.slice(0, 1), x.slice(0, 0, 1)], 0)),
	"channels moved": (x) => t.concat([x.slice(2, 2), t.shift(x.slice(2, 0, 2), 1)], 2),
	"one channel ahead, cut away or not": (x, { draw }) => {
		const ahead = t.pad(x.slice(1, 1).slice(2, 0, 2), 1, 0, 1);
		const both = t.concat([x, ahead], 2);
		return draw() < 0.8 ? both.slice(2, 0, D) : both.slice(2, 1, D + 1);
	},
	"flat and back": (x, { draw }) => {
		const flat = pick([[B * T, D], [B, T * D], [B * T * D], [B, T, 2, 2], [B * T * 2, 2]], draw);
		return x.reshape(flat).mul(1.5).reshape([B, T, D]);
	},
	"shifted while flat": (x, { draw }) => {
		const flat = x.reshape([B * T, D]);
		return t.shift(flat, draw() < 0.5 ? 1 : T, 0).reshape([B, T, D]);
	},
	"wrong reshape": (x, { draw }) => (draw() < 0.7 ? x : x.permute(0, 2, 1).reshape([B, T, D])),
	"transposed there and back": (x, { draw }) => {
		const order = pick(
			[
				[1, 0, 2],
				[0, 2, 1],
				[2, 1, 0],
				[1, 2, 0],
			],
			draw,
		);
		const moved = t.softcap(x.permute(order), 3);
		return moved.permute([0, 1, 2].map((d) => order.indexOf(d)));
	},
	"wild values under a mask": (x, { draw }) => {
		// Infinity times a weight of 0 is NaN, which relu makes 0 again: one bit of the future.
		const lower = t.broadcastTo(positions((t, s) => (s > t ? 0 : 1)).reshape([1, T, T]), [B, T, T]);
		const wild = t.exp(x.mul(draw() < 0.5 ? 90 : 10));
		const y =
			draw() < 0.5 ? t.matmul(lower, wild) : t.matmul(wild.permute(0, 2, 1), lower.permute(0, 2, 1)).permute(0, 2, 1);
		return t.step(y);
	},
	"large values behind a faint mask": (x, { draw }) => {
		const faint = positions((t, s) => (s > t ? pick([-25, -50, -200], draw) : 0));
		const normed = t.softcap(x, 0.5);
		const weights = t.softmax(t.matmul(normed, normed, { transposeB: true }).add(faint));
		return t.matmul(weights, normed.mul(1e25)).mul(1e-3);
	},
	"mean over channels": (x) => x.sub(x.mean(-1, { keepdim: true })),
	"mean over time": (x, { draw }) => (draw() < 0.6 ? x : x.sub(x.mean(1, { keepdim: true }))),
	"mean over rows": (x, { draw }) => (draw() < 0.6 ? x : x.sub(x.mean(0, { keepdim: true }))),
	"layer norm": (x) => x.sub(x.mean(-1, { keepdim: true })).mul(t.variance(x, -1, { keepdim: true }).add(1e-3).rsqrt()),
	attention: (x, { weight, draw }) => {
		const kv = t.linear(x, weight(2, D)).reshape([B, T, 1, 2]);
		const causal = draw() < 0.8;
		const q = t.rotary(t.linear(x, weight(D, D)).reshape([B, T, 2, 2]));
		return t.attention(q, t.rmsNorm(kv), kv, { causal, window: causal && draw() < 0.5 ? 2 : 0 }).reshape([B, T, D]);
	},
	"attention of wild values": (x, { draw }) => {
		const heads = x.reshape([B, T, 2, 2]);
		const wild = draw() < 0.5 ? t.exp(heads.mul(90)) : heads.mul(1e20);
		return t.relu(t.attention(heads, draw() < 0.5 ? wild : heads, wild)).reshape([B, T, D]);
	},
	"attention by hand": (x, { weight, draw }) => {
		const off = bent(draw);
		const far = pick([-1e9, -1e4, -50, Number.NEGATIVE_INFINITY], draw);
		const mask = positions((t, s) => (s > t + off && !(s === 0) ? far : 0.1 * s));
		const normed = t.rmsNorm(x);
		const q = t.linear(draw() < 0.7 ? normed : x.mul(1e6), weight(D, D));
		const scores = t.matmul(q, t.linear(normed, weight(D, D)), { transposeB: true });
		return t.matmul(t.softmax(scores.add(mask)), normed);
	},
	"attention by where": (x, { draw }) => {
		const off = bent(draw);
		const mask = positions((t, s) => (s > t + off && s > 0 ? 0 : 1));
		const normed = t.softcap(x, 5);
		const scores = t.matmul(normed, normed, { transposeB: true });
		return t.matmul(t.softmax(t.where(mask, scores, -1e6)), normed);
	},
	"softmax by hand": (x, { draw }) => {
		const off = bent(draw);
		const mask = positions((t, s) => (s > t + off && s > 0 ? -1e9 : 0));
		const normed = t.rmsNorm(x);
		const e = t.exp(t.matmul(normed, normed, { transposeB: true }).add(mask));
		return t.matmul(e.div(e.sum(-1, { keepdim: true })), normed);
	},
	"linear attention": (x, { draw }) => {
		const off = bent(draw);
		const decay = positions((t, s) => (s > t + off ? 0 : 0.9 ** (t - s)));
		const keys = t.sigmoid(x);
		return t.matmul(t.matmul(x, keys, { transposeB: true }).mul(decay), t.softcap(x, 9));
	},
	"prefix sums": (x, { draw }) => {
		const off = bent(draw);
		const lower = positions((t, s) => (s > t + off ? 0 : 1));
		return t.matmul(t.broadcastTo(lower.reshape([1, T, T]), [B, T, T]), t.softcap(x, 9));
	},
	"prefix sums from the right": (x, { draw }) => {
		const off = bent(draw);
		const upper = positions((s, t) => (s > t + off ? 0 : 1));
		return t
			.matmul(t.softcap(x, 9).permute(0, 2, 1), t.broadcastTo(upper.reshape([1, T, T]), [B, T, T]))
			.permute(0, 2, 1);
	},
	"total less the rest": (x) => {
		const after = positions((t, s) => (s > t ? 1 : 0));
		return x.sum(1, { keepdim: true }).sub(t.matmul(t.broadcastTo(after.reshape([1, T, T]), [B, T, T]), x));
	},
	"learned mixing of positions": (x, { weight, draw }) => {
		const mask = positions((t, s) => (s > t ? 0 : 1));
		const mixing = draw() < 0.6 ? weight(T, T).mul(mask) : weight(T, T);
		return t.matmul(t.broadcastTo(mixing.reshape([1, T, T]), [B, T, T]), t.rmsNorm(x));
	},
	"the previous token": (x, { tokens, weight }) => x.mul(t.sigmoid(t.embedding(t.shift(tokens, 1), weight(V, D)))),
	"the next token": (x, { tokens, weight, draw }) =>
		draw() < 0.6 ? x : t.embedding(t.pad(tokens.slice(1, 1), 1, 0, 1), weight(V, D)),
	"rows of a table of positions": (x, { draw }) => {
		const from = (i: number) => (draw() < 0.95 ? i : Math.min(B * T - 1, i + 1));
		const ids = Int32Array.from({ length: B * T }, (_, i) => from(i));
		return t.embedding(t.tensor(ids), x.reshape([B * T, D])).reshape([B, T, D]);
	},
	"a learned position": (x, { weight }) => x.add(weight(T, D)),
	"a gate": (x, { weight }) => x.mul(t.sigmoid(t.linear(x.slice(2, 0, 2), weight(1, 2)))),
	cancelled: (x) => {
		const ahead = t.pad(x.slice(1, 1), 1, 0, 1);
		return x.add(ahead).sub(ahead.mul(1)).add(ahead.mul(0));
	},
	"chosen by a condition": (x, { draw }) => {
		const ahead = t.pad(x.slice(1, 1), 1, 0, 1);
		const far = draw() < 0.5 ? 1e6 : 1;
		return t.where(t.step(t.tanh(ahead).sub(far)), ahead, x);
	},
	"gradient inside the model": (x, { weight }) => {
		const w = weight(D, D);
		return t.linear(x, t.grad(t.linear(x, w).square().mean(), [w])[0]!);
	},
	"cross-entropy inside the model": (x, { tokens }) =>
		x.add(t.crossEntropy(t.linear(x, t.ones([V, D])), tokens, { reduction: "none" }).reshape([B, T, 1])),
};

/** Layers after which everything may be one infinity, and what leads into it hidden. */
const SATURATING = new Set(["extreme", "laundered infinity", "attention of wild values", "wild values under a mask"]);

for (const lowering of lowerings) {
	describe(`random graphs, run by ${lowering.name}`, () => {
		it("leak only where the analysis does not say none, and always where it says found", () => {
			const seen = { none: 0, unknown: 0, found: 0 };
			const undecided = { causal: 0, leaking: 0 };
			const layersSeen = new Set<string>();
			for (let seed = 1; seed <= GRAPHS; seed++) {
				const { tokens, logits, used } = model(seed);
				const { verdict } = lookahead(logits, tokens);
				// A step or a saturated function shows its input in some texts only.
				const isLeaking = leaks(logits, tokens, V, lowering, verdict === "found" ? 60 : 3);
				release(t.parameters(logits));
				const what = `seed ${seed}, ${used.join(" > ")}`;
				if (isLeaking) assert.notEqual(verdict, "none", `${what}: said to be causal, and leaks`);
				else if (!used.some((layer) => SATURATING.has(layer)))
					assert.notEqual(verdict, "found", `${what}: said to look ahead, and does not`);
				seen[verdict]++;
				if (verdict === "unknown") undecided[isLeaking ? "leaking" : "causal"]++;
				for (const layer of used) layersSeen.add(layer);
			}
			assert.deepEqual([...layersSeen].sort(), Object.keys(layers).sort());
			if (process.env.GRAPHS) console.log(seen, undecided);
			// It decides most of them: an analysis that always says unknown would be sound too.
			assert.ok(undecided.causal < seen.none / 2, `${undecided.causal} causal graphs are not decided`);
			assert.ok(seen.found > GRAPHS / 10, `only ${seen.found} are found to look ahead`);
		});
	});
}
